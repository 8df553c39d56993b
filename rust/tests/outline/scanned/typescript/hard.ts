// What is hard about TypeScript for whoever does not parse it.
import type { A, B as C } from "./a";
import fs = require("fs");
import Short = A.B.C;
export type { A } from "./a";
export * from "./b";

/** A type. */
export type Union = | "a" | 'b' | `c${string}d` | -1 | null;
type Conditional<T, U = {}> = T extends (infer R extends string)[]
  ? R extends "a" ? { a: () => void } : never
  : T extends new (...args: any[]) => infer I ? I : U
type Fn = (a: number, b?: { c: string }) => (d: string) => void; type Ctor = abstract new <T>(x: T) => T;
type Mapped = { readonly [K in keyof A as `x${K}`]?: A[K] } & { -readonly [K in B]-?: string }
type Guard = (x: unknown) => x is string; type Asserts = (x: unknown) => asserts x is string
type Tuple = [a: string, b?: number, ...rest: boolean[]]; type Query = typeof import("x"); type Index = A["b"]["c"][number];
type Generic = Map<string, Array<{ a: Set<number> }>>; type Keyof = keyof typeof obj; type Uni = unique symbol
type Multi =
  // a comment inside
  | A
  | B // behind

/** An interface. */
export interface Shape<T extends object = {}> extends Base<T>, Other {
  /** A property. */
  readonly prop: string; optional?: number, method(a: string): void
  noSeparator: () => void
  /** Documented. */
  generic<U>(x: U): x is U; optionalMethod?(): void;
  get accessor(): string; set accessor(v: string);
  (call: string): void; new (construct: string): Shape; [index: string]: any;
  [Symbol.iterator](): Iterator<T>; "quoted"(): void; 'x-y': string; 5(): void
  get: string; set(): void; readonly: boolean; new: string; async(): void
  nested: { inner(): void }
  fn: new () => { hidden(): void };
  this(): this
}
interface Empty {}
declare global { interface Window { x: number; y(): void } }
declare module "ambient" { export function f(): void; const x: number; export default x }
declare module "empty";
declare namespace Deep.Er { let v: string; function g(a: number): void; class K { m(): void; static s: string } }
namespace Plain { export const X = 1; export namespace Inner { export function h() {} } const local = 2 }
module Old { export type T = string }
export declare const DECLARED: { a: string; b(): void }, second: number;
declare let lower: string; declare var v1, v2: number
declare function ambient(this: Window, a: string, ...b: number[]): a is string
declare abstract class Abs { abstract m(): void; protected abstract readonly p: string; constructor(a: string) }
export enum Color { Red = "r", Green = 1 << 2, Blue = "}".length, /* c */ Last }
const enum Const { A, B = A | 2 } declare enum D { X }
export as namespace Lib;

/** A class. */
@Component({ selector: "a", template: `<b>{{ x }}</b>` })
export class Service<T extends { a: string } = { a: "b" }, const U = unknown> extends Base<T, U> implements A, B<T> {
  @Input() name: string = "x"; @Input() static readonly LOUD = { a: 1 }
  @Output()
  change = new EventEmitter<string>()
  private readonly a?: string; public b!: number; declare c: string; accessor d = 1; static e: string
  protected handler = async (event: Event): Promise<void> => { const local = 1 }
  typed: (a: string) => void = (a) => {}
  readonly generic = <V>(x: V): V => x;
  [key: string]: any
  static #priv: Map<string, () => void> = new Map<string, () => void>()
  constructor(private readonly x: string, @Inject(TOKEN) protected y?: number, public z = { a: 1 } as const) { super() }
  /** Overloads. */
  over(a: string): string
  over(a: number): number;
  over(a: any): any { return a }
  @HostListener("click", ["$event"]) @Other
  onClick(event: MouseEvent): void {}
  get value(): string { return this.a! } set value(v: string) {}
  async *[Symbol.asyncIterator]<V>(): AsyncGenerator<V> {}
  optional?(): void
  override toString(): string { return `${this.a as string}` }
  public static async create<V extends object>(this: new () => V, a = <string>b): Promise<V> { return new this() }
  private static readonly MAP: Record<string, (x: number) => string> = {}
  isIt(x: unknown): x is string { return !x }
  asserts(x: unknown): asserts x { }
  static { const inStatic = () => {} }
  declare(): void {}
  readonly(): void {}
}
abstract class Base<T> { abstract run(a: string): Promise<T>; abstract get x(): string; protected abstract y: number; concrete() {} }
export default abstract class Def { m<T>(this: T) {} }
export abstract class Exported extends Mixin<A>(B)<C> {}
class Implements implements I {}

function overload(a: string): string
function overload(a: number): number;
function overload(a: any) { return a }
export default function withDefault<T = {}>(a: T): asserts a is NonNullable<T> {}
export async function generic<const T extends readonly unknown[]>(x: T, { a, b }: { a: string; b?: () => void } = {} as any): Promise<Array<T>> {}
const arrow = <T,>(x: T): T => x, arrow2 = async <T extends object>(x: T): Promise<T> => x, arrow3 = (x): x is string => !!x;
const returns = (): { a: string } => ({ a: "b" }), fnType = (): (() => void) => () => {}, union = (): (A | B) => a
const conditional = a ? (b) : c, conditional2 = a ? (b: string): string => b : (c: number): number => c, conditional3 = a ? () : void => {} : d
const typed: Map<string, { a(): void }> = new Map<string, { a(): void }>(), typedFn: (a: string) => void = function () {}
const LOUD: { a: string } = { a: "b" }, AS = { a() {} } as const, SAT = { b() {} } satisfies C, assertion = <A>{ c() {} }, NON = a!
const typedObject: A = { method() {}, arrow: (x: string): void => {}, typed: <T>(x: T) => x, ["a" as string]: 1 }
let definite!: string, typedLet: number | undefined
const smaller = a < b, both = a < b && c > d, shift = a << 2 >> 3 >>> 4, call = f<string>(x), nested = f<Map<string, A[]>>(x)(y), inst = f<string>;
if (a < b || c > (d)) { }
for (let i = 0; i < list.length; i++) { if (i<n) f(i>m) }
for (const x of <any[]>list) {} for (const [k, v] of Object.entries(x) as [string, A][]) {}
const cast = x as unknown as Map<string, number>, cast2 = (x as any).y as string[], cast3 = a! / b! / c, cast4 = y as any as A ? 1 : 2
const optional = a?.b!.c?.<string>(x), tmpl = tag<string>`x`
type = 1; namespace = 2; declare = 3; module.exports = 4; let as = 1, is = 2; readonly = as / is / 3
type
Alias
= string
label: for (const x in y) break label
export const selectX = createSelector((state: State) => state.x, (x): Result<A> => x), B2 = 1
dual<(a: string) => void, <A>(b: A) => void, <A = never>(c: A) => A>(2, (a) => {})
this.x = function (this: Foo): void {}; Foo.prototype.bar = function <T>(a: T): void {}; Foo.baz = (a: string): void => {}; foo!.qux = function () {}
Foo.Bar = class<T> { m(): T {} }
function last(a: string, b?: number, c: { d: string } = { d: "e" }, [e, f]: [string, number] = ["", 1]): void {}
class Heritage extends Store<{ /* c */ publish(x: string): void }, number> { real() {} }
export = arrow
