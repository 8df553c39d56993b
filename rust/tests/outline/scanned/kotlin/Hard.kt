@file:JvmName("Hard")
@file:Suppress("A", "class B {")

package hard.data.value

import hard.open.inner
import hard.value as enum

/* a comment /* in a comment */ fun no() {} */
/** Documented /* fun no() */ here. */
val plain = "fun no() { ${ if (a) { "}" } else "{${b["\""]}" } $c \$ \" class"
val raw = """ fun no() { "quoted" \ ${ """}""" } $ """
val quotes = """a""""
val character = '"'
val other = '\''
val brace = '}'
val long: Map<String, List<(Int) -> Unit>>? =
    mapOf("a" to listOf({ x -> fun inner() {} }))
        .filter { it.key != "b" } // trailing
        // between
        ?.map { it.value }
        ?: listOf()
val branch = if (a) b else c
val broken = if (a)
    b
else
    c
val cases = when (val x = f()) {
    is A -> 1
    in 1..2 -> { 2 }
    !is B, !in 3..4 -> 3
    else -> 4
}
val tried = try { a } catch (e: E) { b } finally { c }
val sum = a +
    b
val chained = a
    .b()
    ?.c
val pair = a to
    b
val cast = a as List<Int>?
val same = a is B && c
val less = a < b
val calls = a<B>(c)
val reference = A::class
val bound = a::b
val negated = !a
val asserted = a!!
val index = a[1]
val count = i++
val label = run work@{ return@work 1 }
val literal = object : A(1), B by c {
    fun hidden() {}
}
val bare = object {
    val hidden = 1
}
val anonymous = fun(x: Int): Int { return x }
val short = fun(x: Int) = x + 1
val elvis = a ?: throw B()
val range = 1..10
val number = 1_000L + 0x1F - 1.5e-3f
val String.second: Char get() = this[1]
val <T> List<T>.third: T
    get() = this[2]
var counter: Int = 0
    private set
var both = 1
    @JvmName("x")
    get() { return field }
    internal set(value) {
        fun inside() {}
        field = value
    }
var annotated: String
    /** Gets. */
    get() = a
    set(x) = b(x)
val (first, second) = a { fun inPair() {} }
val MAX = 3
const val MIN = 4
internal const val `quoted name` = 5
@JvmField val NOTED = 6
lateinit var late: A
val by_lazy by lazy { fun lazily() {} }
val delegated: A by
    b
val LOUD by lazy { 1 }
val generic = a<Map<String, List<*>>>()

typealias Simple = A
typealias Function<T> = suspend (T, a: List<T>) -> (Int) -> Unit
typealias Receiver = A.B<C>.(D?) -> E?
internal typealias Nullable = (A)?

fun expression() = 1
fun multi(a: Int = b { "}" }, vararg c: (Int) -> Unit = { fun no() {} }): Int =
    when {
        a -> 1
        else -> { fun inWhen() {}; 2 }
    }
fun chain() = a
    .b { fun inChain() {} }
    .c()

fun <T : Comparable<T>> T.where(a: T): Map<T, T>
    where T : Any, T : B<C> {
    return a
}
fun (() -> Unit).called() {}
fun A.B<C>?.nested() = 1
suspend inline fun <reified T> A?.many(crossinline f: suspend A.() -> T): T & Any { return a }
fun `with spaces`() {}
tailrec fun noBody(): Int
private operator fun A.plus(other: A) = this
infix fun Int.shl(x: Int): Int { fun local(): Int = 1
    class Local {
        fun method() {}
        val count = 1
    }
    // of nested
    inline fun nested() = a { b() }
    val value = 1
    val data = value
    fun after() {}
    if (a) { fun inIf() {} }
    return@shl x
}

abstract class Empty
class Line
internal constructor(a: Int)
class Simple2(val a: Int, private var b: List<Int> = listOf { fun no() {} })
class Bodies { }
open class Base<in T, out U : Any>
@Inject constructor(
    /** The a. */
    @Named("}") val a: Int,
) : A<T>(a, { b -> c }), B, C<D> where T : A, U : B<C>
{
    init {
        val x = 1
        fun inInit() {}
    }

    constructor(a: String) : this(a.toInt(), b) {
        fun inConstructor() {}
    }
    /** Second. */
    private constructor() : super()

    companion object {
        const val TAG = "Base"
        private val LIST = listOf(1)
        @JvmStatic fun create() = Base()
    }

    private val field = a.map { it }
    override val computed: Int
        get() = 1
    protected open val also get() = 2
    val lambda = { a: Int -> fun inLambda() {} }
    abstract val none: Int

    abstract fun a()
    abstract fun b(): Int
    fun c(): Int { return 1 }
    fun A.d() {}

    inner class Inner {
        fun deep() {}
    }
    class Nested : A()
    object Single : B {
        fun s() {}
    }
    data object Other
    fun interface Action {
        fun run()
    }
    sealed interface Shape {
        data class Circle(val r: Double) : Shape
        data object Square : Shape
    }
    typealias Inside = A
    /** Of e. */
    @Deprecated("class")
    // between
    @Suppress
    fun e() {}
    val String.ext: Int get() = 1
}

enum class Color { RED, GREEN }
enum class Level(val n: Int) : A {
    /** The low. */
    LOW(1) {
        override fun f() {}
    },
    @Deprecated("x") HIGH(2),
    ;

    /** The f. */
    abstract fun f()
    companion object { val X = 1
    }
}

annotation class Marker(val a: String = "")
value class Wrapped(val a: Int)
expect class Platform() {
    fun p(): Int
}
actual fun actually() {}

object Registry : A(), B {
    var all = mutableListOf<Int>()
    val size by lazy {
        fun inSize() {}
        1
    }
}

interface Open {
    val a: Int
    val b: Int get() = 1
    var c: String
        get
        set
    fun d()
    fun e() = 1
}
