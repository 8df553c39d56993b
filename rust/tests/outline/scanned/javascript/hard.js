#!/usr/bin/env node
// What is hard about JavaScript for whoever does not parse it.
'use strict';

import def, { a as b, default as c } from './a.js'; // not a comment of what follows
import * as all from "b";
import './side-effect.js';
export * from './c.js';
export * as named from './d.js';
export { b, c as default };
import('later').then(function () { return 1 });

// Division or a regular expression.
const ratio = total / count / 2, PLAIN = 1;
const RE_ONE = /[/\]"'`{]+/g, again = /a/;
if (x) /re"/.test(y);
while (y) /}/.exec(z)
let q = a++ / 2 - b-- / 3;
const r1 = (a + b) / c / d, r2 = [1] / 2, r3 = {} / 3;
return_ = typeof /x'/ === 'object' ? /a/g : /b\/`/i;
function regexes() { return /}/g }
const div = x => /{/.test(x);
label: for (;;) { if (/[)]/.test(a)) break label; else continue label }
do x++; while (x < 5) /re/.test(x);
switch (v) { case /a/.test(v): case (v): f(); break; default: { g() } }

// Templates.
const template = `a ${b} ${ { c: `nested ${ `deeper } ${d}` } }` }.c } \` \${ $ `;
const tagged = tag`x ${function inTemplate() { return `}` }} y`;
const AFTER = `}`; // the end

// Automatic semicolons.
let one = 1
let two = one
+ 3
const fn = function () {}
const noSemicolon = () => {}
const object = { m() {} }
var x1
, y1 = 2
return_
++two
a = b
(c)
function after() {}

/** Documented. */
function plain(a, { b = 1, c: [d] = [] } = {}, ...rest) {
  // inside
  function inner() { class Deep { method() { this.late = () => {} } } }
  const local = () => {}, LOCAL = 1;
  exports.notOpen = 1;
  this.handler = function handler() {};
  return { hidden() {}, also: function () { function found() {} } };
}
async function load() { for await (const x of y) { await x } }
function* gen() { yield; yield* other(); const x = yield /re/; yield
}
async function* both() {}
const assigned = async function () {}, second = class { m() {} }, THIRD = 3, fourth = { a() {} };
const arrow = a => a, arrow2 = async a => a, arrow3 = (a, b = (1, 2)) => ({ a, b }), arrow4 = async ({ a }) => { function inArrow() {} };
const called = function () { function inCalled() {} }(), invoked = (() => 1)();
const chosen = a ? function () {} : () => {}, or = a || function () {}, paren = (function () {});
let { destructured, other: [thing] = [function () {}] } = require('x');
const nothing = undefined, neg = -1, LOUD = call(), quiet = call();
var get = 1, set = 2, async = 3, of = 4, let_ = 5, static_ = 6;
async (1, 2)
async
(3)
get = set / async / of;
for (const NOT of list) {}
for (const IN in list) {}
for (let i = 0, FUN = function () {}; i < 3; i++) {}
for (var i = 0 in {});
if (a) { var HOISTED = {}; function inBlock() {} } else if (b) function odd() {} else { const BLOCK = 1 }
try { throw new Error } catch { class Caught {} } finally { const FIN = {} }
with (a) { b }

/** A class. */
@decorated
@decorator({ a: 1 })
class First extends mixin(Base, class { own() {} }) {
  static #private = 1;
  #field = () => { this.x = function () {} };
  static LOUD = 1; static quiet = 2
  plain
  bound = async (a) => { const y = 1 }
  static async *generate() {}
  get value() { return 1 }
  set value(v) {}
  static get both() { return 1 }
  get() {}
  set() {}
  static() {}
  async() {}
  'quoted-name'() {}
  "double"() {}
  123() {}
  [computed + `x${1}`]() {}
  [Symbol.iterator] = function* () {}
  // A comment in between.
  @dec method() {}
  @dec({ b() {} }) @other
  wrapped() { return class { innermost() {} } }
  static { this.ready = true; function inStatic() {} }
  constructor(a, b = class {}) { super(a); this.a = a; this.method2 = (x) => x; if (!(this instanceof First)) this.never = function () {} }
  #secret() {}
  nested = { a() {}, b: function () {} }
  NESTED = { a() {}, b: class { c() {} } }
  static async = 1
  get = 2;
  'constructor'() {}
}
class Second {} class Third extends Second { a() {} }
(class Named { one() {} });
new (class { two() {} })();
const Expr = class Inner extends (a, b) { three() {} };
export default class extends Base { four() {} }

// Objects.
const config = {
  /** Starts. */
  start() {}, stop: function () {}, async reload() {}, *walk() {}, async *both() {},
  get value() { return 1 }, set value(v) {}, get: 1, set: 2, async: 3, static: 4,
  get() {}, set() {}, async() {}, 'quoted': () => {}, "x-y": class { in_() {} }, 5: function () {}, [computed]: () => {},
  nested: { deep() {}, deeper: { x: function () {} } }, list: [{ inList() {} }, function () { function far() {} }],
  called: make(function () {}, { inCall() {} }), ...rest, ...{ spread() {} }, short, if: 1, class: 2, function: 3, new: 4,
  arrow: (a) => (b) => { function curried() {} }, regex: /}/, await: 1,
};
Foo.prototype = { constructor: Foo, one() {}, two: function () {}, three: () => {} };
Foo.prototype.four = function () { this.five = function () {} };
Foo.six = (a) => a; Foo.Seven = class { eight() {} }; foo().nine = function () {}; Foo['ten'] = function () {};
Foo.a.b.eleven = async function () {}; window.twelve = thirteen = function () {}; Foo.x = Foo.y = function named() {};
(function () { var hidden = {}; hidden.fn = function () {}; Bar.prototype.inside = function () {}; function visible() {} })();
!function () { function banged() {} }(), function () { function sequenced() {} }();
(() => { class InArrow { m() {} } })()
a.b = c ? d.e = function () {} : d.f = function () {}, d.g = () => {}, d.h = 1;
exports.a = 1; exports.b = b; exports.C_C = b; exports.d = () => {}; exports.e = { f() {} }; exports.g = exports.h = function () {};
exports.i = exports.j = void 0; exports.k = undefined; exports.l = -1; exports.m = a.b; exports.n = a(); exports.o = a || b; exports.p = new A();
exports.q = new A().b; exports.r = `x`; exports.s = [1, 2]; exports.t = a ? b : c; exports.u = await a; exports.v = a[0]; exports.w = this;
module.exports.y = class Z {}; (E || (exports.E = E = {})); exports.F = F = 1;
module.exports = { one, two() {}, three: function () {} };
module.exports = function own() {};
module.exports = class { m() {} };
export const A1 = 1, b1 = () => {}; export let c1 = 2, d1; export var e1;
export function f1() {} export async function g1() {} export class H1 { i() {} }
export default function () { function inDefault() {} }
export default { j() {}, k: () => {} };
export default (a) => a;
export default async () => { };

// JSX.
const Element = () => <div className="a'b" {...props} onClick={() => { function inAttribute() {} }} data-x="it's" a:b='c"'>
  don't {/* a comment */} "quote {`t${a}`} <b>it's</b> {list.map((x) => <li key={x}>{x / 2} // no comment</li>)}
  <Foo.Bar x=<i>y</i> /> <></> &amp; {a && <p>/re/</p>}
</div>;
const SHORT = <a />;
function Component() { return <>{cond ? <A b={{ c: 1 }} /> : <B>text: a / b</B>}</> }
const smaller = a < b, bigger = c > d;

/* Above what follows. */
/* Twice. */
export const DOCUMENTED = {
  a() {} };
// Not near.

function undocumented(/* a */ b /* c */) {} // behind
/** One. */ function sameLine() {}
const last = { get [`x`]() { return 1 }, async [a]() {}, *[b]() {} }
x = { a, b } = c; [a, b] = [b, a]; ({ a = function () {} } = b);
x ||= function () {}; y ??= class { z() {} }; z **= 2; w >>>= 1; v?.a?.[0]?.(function () { function chained() {} }); u ? .5 : 1;
a = b ? (c, d) : e => f; a = b ? c => d : e; a ? b : c ? (d) : e; a = async x => { await x }; a?.5:1;
new.target; import.meta.url; new Foo; new Foo.Bar(1).baz = function () {}; delete a.b, void 0, typeof a === 'b';
if (a) b; else c
for (;;) break
var \u0061bc = 1, ünï = () => {}, $ = {}, _ = function () {};
debugger
0x1F / 1e-5 / 1_000n / .5 / 5. / 0b11
export { default } from './z.js'
