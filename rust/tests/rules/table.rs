//! Single patterns against single paths, each row with what git says about it.

use std::io::Write;
use std::process::Stdio;

use crate::support::Tree;

/// A pattern line, and files of a tree; git decides which of them it ignores.
const ROWS: &[(&[u8], &[&[u8]])] = &[
    // names
    (b"foo", &[b"foo", b"a/foo", b"foo.c", b"afoo", b"FOO"]),
    (b"*.o", &[b"x.o", b".o", b"a/b.o", b"x.oo", b"o"]),
    (b"foo*", &[b"foo", b"foobar", b"a/foo1", b"fo"]),
    (b"*foo*", &[b"foo", b"xfoox", b"a/xfoo", b"fo"]),
    (b"f?o", &[b"foo", b"f/o", b"fo", "f\u{e9}o".as_bytes(), b"f\xffo"]),
    (b"f??o", &["f\u{e9}o".as_bytes(), b"fooo", b"f/o/o"]),
    (b"*", &[b"a", b"b/c", b".x"]),
    (b"**", &[b"a", b"b/c", b".x"]),
    (b".*", &[b".x", b"a/.y", b"a", b"..x"]),
    (b"?", &[b"a", b"bb", b"\xff", "\u{e9}".as_bytes()]),
    (b"a*b", &[b"ab", b"a\xffb", b"axb", b"a/b", b"abx"]),
    // directories
    (b"foo/", &[b"a/foo", b"foo/x", b"b/foo/y"]),
    (b"/foo/", &[b"foo/x", b"b/foo/y"]),
    (b"a/foo/", &[b"a/foo/x", b"b/a/foo/y", b"a/foobar/z"]),
    (b"a/foo", &[b"a/foo/x", b"b/a/foo", b"a/foobar"]),
    // anchors
    (b"/foo", &[b"foo", b"a/foo", b"foobar"]),
    (b"a/b", &[b"a/b", b"c/a/b", b"a/bc", b"a/b2/b"]),
    (b"/a/b", &[b"a/b", b"c/a/b"]),
    (b"a/*", &[b"a/b", b"a/c/d", b"b/a/x"]),
    (b"a/*/c", &[b"a/b/c", b"a/c", b"a/b/b/c"]),
    (b"/*.c", &[b"x.c", b"a/x.c"]),
    (b"/*", &[b"x", b"a/b"]),
    (b"a/?", &[b"a/b", b"a/bb", b"a/\xff"]),
    (b"//foo", &[b"foo", b"a/foo"]),
    (b"./foo", &[b"foo", b"a/foo"]),
    (b"foo//", &[b"foo/x"]),
    (b"a//b", &[b"a/b"]),
    (b"/", &[b"a", b"b/c"]),
    // two stars
    (b"**/foo", &[b"foo", b"a/foo", b"a/b/foo", b"afoo"]),
    (b"**/foo/", &[b"foo/x", b"a/foo/x", b"b/foo"]),
    (b"**/a/b", &[b"a/b", b"x/a/b", b"x/y/a/b", b"xa/b"]),
    (b"a/**", &[b"a/b", b"a/b/c", b"b/a/c", b"ab"]),
    (b"a/**/b", &[b"a/b", b"a/x/b", b"a/x/y/b", b"a/xb", b"ab"]),
    (b"a/**/", &[b"a/b", b"a/x/c"]),
    (b"/**", &[b"a", b"b/c"]),
    (b"/**/foo", &[b"foo", b"a/foo", b"afoo"]),
    (b"**/**/foo", &[b"foo", b"a/foo", b"a/b/foo"]),
    (b"a/**/**/b", &[b"a/b", b"a/x/b", b"a/x/y/z/b"]),
    (b"foo**", &[b"foo", b"foobar", b"foo/bar"]),
    (b"/foo**", &[b"foo", b"foobar", b"foox/bar"]),
    (b"foo**/bar", &[b"foo/bar", b"foox/bar", b"fooa/b/bar", b"foobar"]),
    (b"f*o**/bar", &[b"foo/bar", b"foox/bar", b"fooa/b/bar", b"foobar"]),
    (b"**foo", &[b"foo", b"xfoo", b"a/xfoo"]),
    (b"/**foo", &[b"foo", b"xfoo", b"a/xfoo"]),
    (b"a/**b", &[b"a/b", b"a/xb", b"a/x/b"]),
    (b"a/b**/c", &[b"a/b/c", b"a/bx/c", b"a/b/x/c"]),
    (b"***", &[b"a", b"b/c"]),
    (b"a/***", &[b"a/b", b"a/b/c"]),
    (b"a/***/c", &[b"a/c", b"a/b/c", b"a/b/b/c"]),
    (b"a/**\\/c", &[b"a/c", b"a/b/c", b"a/b/b/c"]),
    // classes
    (b"*.[oa]", &[b"x.o", b"x.a", b"x.c"]),
    (b"[a-c]x", &[b"ax", b"cx", b"dx"]),
    (b"[!a-c]x", &[b"ax", b"dx", b"\xffx"]),
    (b"[^a-c]x", &[b"ax", b"dx", b"^x"]),
    (b"[]]x", &[b"]x", b"x"]),
    (b"[]-a]x", &[b"]x", b"^x", b"ax", b"-x"]),
    (b"[a-]x", &[b"ax", b"-x"]),
    (b"[-a]x", &[b"ax", b"-x"]),
    (b"[a-c-e]x", &[b"ax", b"dx", b"-x", b"ex"]),
    (b"[c-a]x", &[b"ax", b"bx", b"cx"]),
    (b"[\\]]x", &[b"]x", b"\\x"]),
    (b"[\\\\]x", &[b"\\x", b"x"]),
    (b"[[:digit:]]x", &[b"1x", b"ax", b":x", b":]x"]),
    (b"[[:alpha:][:digit:]_]x", &[b"1x", b"ax", b"_x", b"-x"]),
    (b"[[:space:]]x", &[b" x", b"\tx", b"sx"]),
    (b"[[:punct:]]x", &[b"!x", b"ax"]),
    (b"[[:upper:]]x", &[b"Ax", b"ax"]),
    (b"[[:nope:]]x", &[b"nx", b":]x", b"[x"]),
    (b"[[:digit]x", &[b"[x", b":x", b"dx", b"1x"]),
    (b"[[:]x", &[b"[x", b":x"]),
    (b"[[]x", &[b"[x"]),
    (b"[a", &[b"[a", b"a"]),
    (b"a[", &[b"a[", b"a"]),
    (b"[!]", &[b"[!]", b"!", b"a"]),
    (b"a[!b]c", &[b"axc", b"abc", b"a/c"]),
    (b"a/[!b]/c", &[b"a/x/c", b"a/b/c"]),
    // escapes and bytes
    (b"\\#x", &[b"#x", b"\\#x"]),
    (b"#x", &[b"#x", b"x"]),
    (b" #x", &[b"#x", b" #x"]),
    (b"\\!x", &[b"!x", b"x"]),
    (b"!x", &[b"!x", b"x"]),
    (b"!!x", &[b"!x", b"x"]),
    (b"\\*", &[b"*", b"a"]),
    (b"a\\?b", &[b"a?b", b"axb"]),
    (b"\\a\\b", &[b"ab"]),
    (b"a\\", &[b"a\\", b"a"]),
    (b"a\\\\", &[b"a\\", b"a"]),
    (b"foo\\/", &[b"foo/x", b"a/foo/x"]),
    (b"a\\/b", &[b"a/b", b"c/a/b"]),
    (b"\\/a", &[b"a", b"b/a"]),
    (b"{a,b}", &[b"a", b"b", b"{a,b}"]),
    (b"*.{c,h}", &[b"x.c", b"x.h", b"x.{c,h}"]),
    (b"a}", &[b"a}", b"a"]),
    (b"{a", &[b"{a", b"a"]),
    (b"a,b", &[b"a,b", b"a"]),
    (b"(a|b)", &[b"a", b"(a|b)"]),
    (b"a+", &[b"a+", b"aa"]),
    (b"$x^", &[b"$x^", b"x"]),
    (b"~/x", &[b"~/x", b"x"]),
    ("\u{e9}".as_bytes(), &["\u{e9}".as_bytes(), b"e"]),
    (b"\xff", &[b"\xff", b"\xfe"]),
    (b"*\xff", &[b"a\xff", b"\xff", b"a"]),
    (b"[\xfe-\xff]", &[b"\xff", b"\xfe", b"\xfd"]),
    // blanks
    (b"a ", &[b"a", b"a "]),
    (b"a\\ ", &[b"a ", b"a", b"a\\ "]),
    (b"a\\ \\ ", &[b"a  ", b"a ", b"a"]),
    (b"a\\  ", &[b"a ", b"a  ", b"a"]),
    (b"a\\\\ ", &[b"a\\", b"a\\ "]),
    (b"a b", &[b"a b", b"a"]),
    (b" a", &[b" a", b"a"]),
    (b"a\t", &[b"a", b"a\t"]),
    (b"a/ ", &[b"a/x", b"a "]),
    (b"a\r", &[b"a", b"a\r"]),
    (b"a\r\r", &[b"a", b"a\r"]),
    (b"a \r", &[b"a", b"a "]),
    (b" ", &[b" ", b"a"]),
    (b"\\ ", &[b" ", b"a"]),
    (b"a.", &[b"a.", b"a"]),
    (b"*.", &[b"a.", b"a", b"b/.x."]),
];

#[test]
fn every_row_is_decided_as_git_decides_it() {
    assert!(ROWS.len() >= 60);
    let tree = Tree::repository();
    let mut asked = Vec::new();
    for (row, (pattern, paths)) in ROWS.iter().enumerate() {
        // One directory for each path, because `foo` and `foo/bar` exclude each other.
        for (column, path) in paths.iter().enumerate() {
            let dir = format!("{row}/{column}/");
            tree.write(format!("{dir}.gitignore"), [*pattern, b"\n"].concat());
            let path = [dir.as_bytes(), path].concat();
            tree.write(&path, "");
            asked.push(path);
        }
    }
    let kept = tree.kept();
    let ignored = check_ignore(&tree, &asked);
    assert!(ignored.len() > 100 && asked.len() > ignored.len() + 100, "git was not asked");
    let wrong: Vec<String> = asked
        .iter()
        .filter(|path| kept.contains(*path) == ignored.contains(path))
        .map(|path| {
            let row: usize =
                path.escape_ascii().to_string().split('/').next().unwrap().parse().unwrap();
            let git = if ignored.contains(path) { "ignores" } else { "keeps" };
            format!("`{}`: git {git} {}", ROWS[row].0.escape_ascii(), path.escape_ascii())
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    tree.agrees_with_git();
}

/// The paths whose last matching rule ignores them or a directory above them.
fn check_ignore(tree: &Tree, paths: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut git = tree.git_command(&tree.root());
    git.args(["check-ignore", "--no-index", "-z", "--stdin", "-v"]);
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = paths.join(&0);
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let fields: Vec<&[u8]> = output.stdout.split(|b| *b == 0).collect();
    // Source, line, pattern, path; a pattern with `!` is a match too, but not an ignored one.
    let rows = fields.chunks_exact(4).filter(|row| !row[2].starts_with(b"!"));
    rows.map(|row| row[3].to_vec()).collect()
}
