#!/usr/bin/env run-cargo-script
//! About the file.
#![allow(dead_code, reason = "a ] in a string")]

/*! About it, too. */

/// Raw strings hold whatever they like.
pub const RAW: &str = r#"fn no() {} " } "#;
const BYTES: &[u8] = br##"struct "# No {"##; // behind it
const C: &std::ffi::CStr = c"fn no() {";
const PLAIN: &str = "a \" } fn no() {
    fn no() {}
";
const QUOTES: [char; 5] = ['"', '\'', '{', '\u{7d}', 'é'];
const BYTE: u8 = b'{';
const BYTE2: u8 = b'\'';
pub const fn constant() -> usize { 3 }
const ADDRESS: &str = "http://a/* no comment";
const LATE: u32 = /* inside */ 3; // after
static SLICE: &[fn(u32) -> u32] = &[
    |a| a + 1, // first
    // second
    |b| { fn in_closure() {} const HIDDEN: u32 = 1; b },
];
static mut STATE: Option<&'static str> = None;
const _: () = {
    const SHOWN: u32 = 1;
    /// In a block without a name.
    fn unnamed_block() {}
    assert!(SHOWN > 0);
};

/* a /* nested */ comment fn no() {} */
/** Documented
 *  by a block.
 */
#[derive(Debug)] // why
#[cfg(all(unix, feature = "a}"))]
/// And by a line.
pub(crate) struct Generic<'a, T: 'a + ?Sized, const N: usize = { 1 + 2 }>
where
    T: Fn(&'a str) -> Option<&'a u8>,
    [(); { N + 1 }]: Sized,
{
    /// A field.
    pub field: &'a T,
    other: [u8; N],
}

pub(in crate::inner) struct Tuple<F>(pub F, (u8, u8)) where F: Fn(u32) -> u32;
struct Unit;
struct r#Raw { r#type: u8 }
union Bits<T: Copy> where T: Sized { a: T, b: u8 }
enum Empty {}
#[repr(u8)]
enum Numbers {
    A = 1,
    // inside
    B = { const X: u8 = 3; X },
    C { a: fn(u8) -> u8 },
}

type Callback<'a> = Box<dyn for<'b> Fn(&'b str) -> Result<(), &'a str> + 'a>;
type Array = [u8; { 3 }];

pub unsafe trait Shape<T = Vec<Option<u8>>>: Clone + for<'a> Other<'a> where T: Sized {
    type Item<'a>: Iterator<Item = &'a u8> where Self: 'a;
    const SIDES: usize;
    const NAMED: &'static str = "a;b";
    fn area(&self, // what
        other: &dyn Fn(u32) -> u32) -> f64;
    /// With a body.
    #[inline]
    fn provided(self) -> impl Fn() -> bool + use<'_, Self> { move || true }
    fn where_(&self) where Self: Sized;
}

impl<T, const N: usize> Shape<[T; N]> for Generic<'_, T, { N }> where T: Copy {
    type Item<'a> = u8;
    const SIDES: usize = 4;
    fn area(&self) -> f64 { 1.0e3 }
}

impl<F> Tuple<F> { fn r#match(&self) {} pub(super) fn two() {} }
impl<'a, T: ?Sized> crate::a::Trait for &'a mut T { fn on_reference() {} }
impl<T> Other<'_> for [T] { fn on_slice() {} }
impl<A, B> Other<'_> for (A, B) { fn on_pair() {} }
impl Other<'_> for fn(u8) -> u8 { fn on_pointer() {} }
impl dyn Shape { fn on_object() {} }
impl<T> Other<'_> for *const T { fn on_raw() {} }
unsafe impl<T> !Send for Unit {}
impl<T> Other<'_> for <T as Deref>::Target { fn on_projection() {} }
impl Other<'_> for crate::a::b::Deep<u8> where u8: Sized { // comment
    // above
    fn on_path() {}
}

extern "C" {
    /// Foreign.
    pub fn foreign(a: *const u8, ...) -> !;
    pub static ERRNO: i32;
    type Opaque;
}
unsafe extern "C-unwind" fn exported<'a>(_: &'a u8) -> ! { loop {} }
pub async unsafe fn both() {}
extern crate alloc as other;
pub use self::{inner::{self as renamed, // fn no() {
    deeper}, };
mod elsewhere;
pub mod inner {
    //! About the module.
    pub(super) mod deeper { pub struct Leaf; impl Leaf { pub fn new() -> Self { Leaf } } }
}

/// A macro.
#[macro_export]
macro_rules! list {
    ($a:ident, $($x:expr),* $(,)?) => { fn $a() {} };
    ('a' 'b) => { struct No; };
}
macro_rules! round ( () => { fn no() {} } );
list! { generated, fn no() {} }
other::list!(fn no() {});
thread_local!(static LOCAL: u8 = 1);

pub fn body<'l>(a: &'l [u8]) -> impl Iterator<Item = u8> + 'l {
    #[cfg(unix)]
    use std::fmt;
    let negated = !{ false } && !(a.len() < 3) && a != b"fn no() {";
    let f = |x: u32| -> u32 { fn in_closure() {} x };
    'outer: for (i, c) in a.iter().enumerate() {
        if i as u32 > 1 { break 'outer; }
        let c = match c { b'{' => '}', b'a'..=b'z' if *c > b'"' => '{', _ => 'x' };
    }
    // above a local function
    #[inline(always)]
    fn helper<T: Into<String>>(t: T) -> Box<dyn Fn(T) -> T> { todo!("fn no() {{") }
    const LOCAL: u32 = 1;
    static HIDDEN: u8 = 1;
    struct Local { a: u8 }
    impl Local { fn method(&self) { fn deepest() {} } const INNER: u8 = 1; }
    type Alias = u8;
    enum E { A }
    let union = 3; let default = union; let x = 1..2; let y = 1.max(2); let t = (1, 2).0;
    unsafe { std::ptr::null::<u8>(); }
    let s = Local { a: 1 };
    async move { 1 };
    vec![1, 2, fn_call!{ a }];
    let z = x.r#type + if let Some(_) = y { 1 } else { 2 };
    a.iter().copied()
}

#[cfg(test)] mod one { #[test] fn line() {} }
/// Far above.

fn undocumented() {}
fn a() {} /* between */ fn b() {}
fn
broken_name
<T>
(
    a: T,
) -> T
{ a }
