// SPDX-License-Identifier: GPL-2.0
/* A driver in the manner of the kernel: every line of it is a shape found there. */
#include <linux/module.h>

#define FROB_MAX 16
#define frob_for_each(pos, head) \
	for (pos = (head)->first; \
	     pos; pos = pos->next)
#define FROB_QUOTE '"'
# define FROB_LATE	/* nothing */

struct frob_ops;

/**
 * struct frob - one frobnicator
 * @lock: guards the rest
 *
 * Lives as long as its device.
 */
struct frob {
	spinlock_t lock;
	unsigned int busy : 1, dead : 1;
	int (*open)(struct frob *f, int flags);
	struct frob_slot {
		u32 addr;
	} slots[FROB_MAX];
	union {
		u64 raw;
	};
} __packed __aligned(8);

enum frob_state { FROB_IDLE, FROB_BUSY = 1 << 3, };

typedef struct {
	int x;
} frob_point_t;
typedef struct frob frob_t, *frob_ptr;
typedef int (*frob_fn)(struct frob *f);
typedef void (frob_hook)(int);
typedef struct page *frob_alloc_t(struct page *page);
typedef u32 __bitwise frob_bits;
typedef unsigned char frob_key[16];

static DEFINE_MUTEX(frob_mutex);
static DEFINE_PER_CPU(struct frob *, frob_current);
LIST_HEAD(frob_list);
static int frob_count __read_mostly;
int frob_debug __initdata = 1, frob_trace = 2;
extern int not_here;
static long (*frob_blink)(int state);

static int frob_open(struct inode *inode, struct file *file);
struct frob *__frob_get(struct frob *f);

static const struct file_operations frob_fops = {
	.owner = THIS_MODULE,
	.open = frob_open,
	.name = "}{",
};

/* Opens it. */
static int __init frob_open(struct inode *inode,
			    struct file *file /* unused */)
{
	char c = '}';
	const char *s = "} \" {";
	struct local { int x; } y;

	if (inode) { /* } */
		return c;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(frob_open);

static __printf(1, 2) void frob_log(const char *fmt, ...)
{
}

static void *frob_start(struct seq_file *m, loff_t *pos)
	__acquires(&frob_mutex)
{
	return NULL;
}

int (*frob_pick(int which))(struct frob *f)
{
	return NULL;
}

SYSCALL_DEFINE3(frob_read, unsigned int, fd, char __user *, buf, size_t, count)
{
	return 0;
}

SEC("kprobe/do_frob")
int BPF_PROG(frob_probe, int a)
{
	return 0;
}

#ifdef CONFIG_FROB
static int frob_branch(int a)
#else
static int frob_branch(int a, int b)
#endif
{
#ifdef CONFIG_FROB
	if (a) {
#else
	if (a && b) {
#endif
		return 1;
	}
	return 0;
}

#if 0
int frob_hidden(void)
{
	don't look
}
#define FROB_HIDDEN 1
#else
int frob_shown(void) { return 0; }
#endif

int old_style(a, b)
	int a;
	char *b;
{
	return a;
}

__setup_frob(early)
FROB_DECLARE(clean, CLEAN)
FROB_DECLARE(dirty, DIRTY)
/* After macro lines. */
static inline bool frob_after(void) { return true; }

static int frob_broken(void)
{
	if (frob_count) {
		FROB_OPEN_BRACE
	return 0;
}

static int frob_labels(void)
{
	{
out:
	return 0;
}
}

int class(int new, int template)
{
	return new;
}

module_init(frob_open)
static void __exit frob_exit(void)
{
}
module_exit(frob_exit);
MODULE_LICENSE("GPL");
