/* Copyright Example. Licensed under something. */
#ifndef MODERN_HPP
#define MODERN_HPP
#include <vector>

namespace outer::inner {

/// A point.
/// In two dimensions.
template <typename T, template <typename> class Box = std::vector, bool B = (1 > 2)>
class Point final : public Base<T>, private Other {
public:
    Point() = default;
    Point(const Point&) = delete;
    explicit Point(T x, T y) noexcept : x_{x}, y_(y), Base<T>{x} { init(); }
    virtual ~Point() { }
    T x() const & noexcept { return x_; }
    virtual void draw() const = 0;
    Point& operator=(const Point& other);
    bool operator==(const Point& o) const { return x_ == o.x_; }
    T operator()(int i) const { return i ? x_ : y_; }
    T& operator[](int i) { return x_; }
    operator bool() const { return true; }
    auto make() -> std::pair<int, int> { return {1, 2}; }
    static void* operator new(size_t size) { return nullptr; }
    friend bool operator<(const Point& a, const Point& b) { return a.x_ < b.x_; }

    enum class Axis : unsigned char { X, Y };
    using value_type = T;
    struct Inner {
        void method() {}
    };

private:
    T x_, y_ = 3;
};

template <typename T>
auto Point<T>::area() const -> decltype(T{} * T{})
{
    return x_ * y_;
}

template <typename T> requires std::integral<T> && (sizeof(T) > 1)
T twice(T value) { return value << 1; }

template <typename T>
void constrained(T value) requires (!std::same_as<T, int>)
{
}

template <typename T>
concept Frobbable = requires(T t) { t.frob(); };

} // namespace outer::inner

namespace {
constexpr int kLimit = 1'000'000;
const char* kText = R"x(} " { )x";
std::function<void(int)> g_callback = [](int) { if (true) { } };
std::vector<int> g_list{1, 2, 3};

void helper() { auto c = '}'; int n = 1'0; }
}

extern "C" {
int c_entry(int argc) { return 0; }
}

outer::Thing::Thing(int a)
try : a_(a), b_{a}
{
} catch (...) {
}

outer::Thing::~Thing() { }

outer::Thing& outer::Thing::operator+=(const Thing& other) { return *this; }

template <>
struct std::hash<outer::Thing> {
    size_t operator()(const outer::Thing& t) const noexcept { return 0; }
};

using Alias = std::map<std::string, int>;
typedef std::pair<int, int> Pair;
[[nodiscard]] inline int attributed() { return 1; }
int outer::Thing::counter = 0;

TEST_F(ThingTest, Works) {
    EXPECT_EQ(1, 1);
}

std::function<int(int)> returns_function() { return {}; }
bool less(int a, int b) { return a < b && b > a; }
#endif

static const decltype(&make_widget) kMakers[] = {
    make_widget,
};
decltype(auto) deduced() { return 1; }
