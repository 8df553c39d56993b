package samples.screen

sealed interface State {
    data object Loading : State
    data class Ready(val rows: List<Row>) : State
    data class Failed(val reason: Throwable) : State
}

@JvmInline
value class RowId(val raw: Long)

annotation class Screen(val route: String)

data class Row(val id: RowId, val title: String)

abstract class Presenter {
    abstract val state: State
    protected open suspend fun load(): List<Row> = emptyList()

    inner class Retry(private val times: Int) {
        suspend fun run(): State {
            repeat(times) {
                try {
                    return State.Ready(load())
                } catch (reason: RuntimeException) {
                    if (it == times - 1) return State.Failed(reason)
                }
            }
            return State.Loading
        }
    }
}

@Screen("rows")
class RowsPresenter : Presenter() {
    override var state: State = State.Loading
        private set
}

private val String.isBlankRow: Boolean get() = isBlank()
