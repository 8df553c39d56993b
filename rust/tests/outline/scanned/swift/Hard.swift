#!/usr/bin/swift
import Foundation
import struct Swift.Array

/* a comment /* in a comment */ func no() {} */
/// Documented. /* func no() */
let plain = "func no() { \(a ? "}" : "\(b["\""])") \\"
let raw = #"a "quoted" \(no "} " \#(f(")"))"#
let long = """
    func no() { "quoted" \"""
    \(a + "}")
    """
let rawLong = #"""
    """ "
    """#
var counter = 0
let (first, second) = (1, { func inPair() {} })
let x = 1, y = [2], z: Int = 3
let chained = a
    .b { func inChain() {} }
    ?? c
let sum = a +
    b
    + c
    - d
let branch = a
    ? b
    : c
let asserted = a!
let negated = !a
let range = 0..<10
let key = \A.b
let tried = try? a.b()
let cast = a as? [String: Int]
let called = A<B, [C]>(d)
let value = if a { 1 } else { 2 }
let closure: (Int, String) -> Void = { a, _ in
    func inClosure() {}
}
let anyCase: A = .any
let some = A.init
var computed: Int { 1 }
var both: Int {
    get { 1 }
    set { func inSetter() {} }
}
var observed = 1 {
    willSet { print(newValue) }
}
var typed: A<B>? {
    @inline(__always) didSet { print(oldValue) }
}
@available(iOS 15, *)
private(set) public var noted: some View = B { c }
let optional: A?
var tuple: (a: Int, b: String) = (1, "}")
let selector = #selector(A.b)

typealias Simple = A
public typealias Handler<T> = @Sendable (T, _ a: [Int]) async throws -> (any B & C)?

func plus(a: Int = { 1 }(), _ b: @escaping (Int) -> Void = { _ in }) -> Int { a }
func generic<T: A, each U>(_ a: T) async throws(E) -> [String: T]?
    where T.B == C, U: D
{
    let inner = 1
    var other: Int { 2 }
    func local() {}
    // About nested.
    @discardableResult
    func nested() -> Int { 1 }
    class Local: A {
        func method() {}
        let count = 1
    }
    struct Other { var a: Int { 1 } }
    if let a = b { func inIf() {} }
    guard let c = d else { return }
    switch a {
    case .b(let c): func inCase() {}
    default: break
    }
    a.init(b)
    f(extension: a, protocol: b)
    self.class.func()
    return { c in func inReturned() {} }
}
func == (a: A, b: A) -> Bool { true }
prefix func - (a: A) -> A { a }
func +(a: A, b: A) -> A { a }
func `default`() {}
prefix operator +++
infix operator <=>: Precedence
precedencegroup Precedence {
    higherThan: A
}

/// A class.
@MainActor
// between
@objc(Thing)
open class Thing<T>: Base<T>, A.B, @unchecked Sendable where T: C {
    static let shared = Thing { func inShared() {} }
    static let LIMIT = 1, other = 2
    static var count = 1
    class var kind: String { "a" }
    class func make() -> Self { self.init() }
    public final class Nested { class Deeper {} }
    let constant = 1
    lazy var cache: A = { func inCache() {}; return A() }()
    @Wrapped(a: "}") private var wrapped = 1
    weak var delegate: A?
    unowned(unsafe) var owner: B
    nonisolated(unsafe) static var unsafe = 1
    var observed = 0 {
        didSet { func inObserver() {} }
    }
    var lazy: Int {
        _read { yield 1 }
    }
    let (a, b) = (1, 2)
    let pair: (Int, Int)
    /// Makes it.
    required public init?(a: Int) throws {
        func inInit() {}
        super.init()
    }
    convenience init<S>(_ s: S) where S: D { self.init() }
    deinit { func inDeinit() {} }
    subscript(a: Int) -> Int {
        get { 1 }
        set {}
    }
    static subscript<U>(b b: U) -> U where U: A { b }
    override func over() {}
    mutating func change() async {}
    func trailing() -> some View {
        VStack {
            Text("a")
        }
        .padding()
    }
    typealias Inside = [Int]
    #if DEBUG
    func debug() {}
    #elseif os(iOS) // comment
    func ios() {}
    #else
    func release() {}
    #endif
    enum Kind: String { case a, b = "x" }
}

indirect enum Tree<T>: A {
    case leaf
    /// A node.
    case node(Tree<T>, T = 1), other
    indirect case deep(Tree)
    case raw
    static let zero = Tree.leaf
    var depth: Int { 1 }
    func walk() {}
}

struct Point: Equatable {
    var x, y: Double
    @State var z = 1
    var w: Int = 1, v = 2
    static func < (a: Point, b: Point) -> Bool { a.x < b.x }
    var body: some View {
        Text("}")
    }
}

actor Counter {
    var value = 0
    func increment() {}
}

protocol Shape: AnyObject {
    associatedtype Unit: A = B
    var area: Double { get }
    static var sides: Int { get set }
    /// Scales.
    func scale(by factor: Double) async -> Self
    init(a: Int)
    subscript(a: Int) -> Int { get }
    mutating func change()
    static func make() -> Self where Unit: C
}

extension Thing where T == Int {
    var extended: Int { 1 }
    func more() {}
    static let value = 1
}
extension [Int]: A {
    func elements() {}
}
extension A.B<C> {
    struct Inner {}
}

@resultBuilder
struct Builder {
    static func buildBlock(_ parts: A...) -> [A] { parts }
}

if a {
    let inIf = 1
} else {
    let inElse = 2
}
for a in b {
    let inFor = 1
}
do {
    let inDo = 1
} catch {
    print(error)
}
run {
    let inRun = 1
    func shown() {}
}
