package samples.cache

import java.util.concurrent.TimeUnit

typealias Loader<K, V> = (K) -> V?

const val DEFAULT_CAPACITY = 64

/** Why an entry left the cache. */
enum class Cause { EVICTED, EXPIRED, REPLACED }

interface Listener<in K> {
    fun removed(key: K, cause: Cause)
    fun cleared() = Unit
}

/**
 * Keeps the entries that were used last.
 */
open class LruCache<K : Any, V : Any>(private val capacity: Int = DEFAULT_CAPACITY) : Iterable<K> {
    private val entries = LinkedHashMap<K, V>(capacity, 0.75f, true)

    var listener: Listener<K>? = null

    val size: Int
        get() = entries.size

    constructor(capacity: Long, unit: TimeUnit) : this(unit.toMillis(capacity).toInt())

    init {
        require(capacity > 0) { "capacity" }
    }

    operator fun get(key: K): V? = entries[key]

    fun getOrLoad(key: K, loader: Loader<K, V>): V? {
        fun store(value: V): V {
            put(key, value)
            return value
        }
        return get(key) ?: loader(key)?.let(::store)
    }

    fun put(key: K, value: V) {
        entries[key] = value
        if (entries.size > capacity) evict()
    }

    private fun evict() {
        val eldest = entries.keys.first()
        entries.remove(eldest)
        listener?.removed(eldest, Cause.EVICTED)
    }

    override fun iterator(): Iterator<K> = entries.keys.iterator()

    companion object {
        const val UNBOUNDED = Int.MAX_VALUE
        fun <K : Any, V : Any> unbounded() = LruCache<K, V>(UNBOUNDED)
    }
}

object Caches {
    val shared: LruCache<String, ByteArray> by lazy { LruCache(256) }
}

fun <K : Any, V : Any> LruCache<K, V>.putAll(from: Map<K, V>) = from.forEach { (key, value) -> put(key, value) }
