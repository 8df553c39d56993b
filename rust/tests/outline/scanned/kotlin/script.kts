#!/usr/bin/env kotlin
plugins {
    id("a") version "1"
    fun inPlugins() {}
}

val version: String by project
val extra by extra("x")

if (version == "1") {
    val shown = 1
    println("$shown")
} else {
    val elseToo = 2
}
for (i in 1..3) {
    val LOOPED = i
}
when (version) {
    "1" -> {
        val inWhen = 1
    }
    else -> println()
}
listOf(1).forEach {
    val notShown = it
}
tasks.register("x") { val y = 1 }
fun helper(a: Int) = a + 1
context(A)
fun withContext() {}
class InScript(val a: Int)
