using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Currant.Samples.Http
{
    /// <summary>What to do with an answer.</summary>
    public enum Verdict { Accept, Retry, GiveUp }

    /// <summary>Decides how long to wait.</summary>
    public delegate TimeSpan Backoff(int attempt);

    public interface IRetryPolicy
    {
        int Attempts { get; }
        Verdict Judge(int status);
    }

    /// <summary>Waits twice as long each time.</summary>
    public sealed class DoublingPolicy : IRetryPolicy, IDisposable
    {
        public const int Most = 8;
        private static readonly TimeSpan First = TimeSpan.FromMilliseconds(50);
        private readonly Dictionary<int, Verdict> verdicts = new();

        public event EventHandler<int>? Retried;

        public DoublingPolicy(int attempts) => Attempts = attempts;

        public int Attempts { get; }

        public Verdict this[int status]
        {
            get => verdicts.TryGetValue(status, out var found) ? found : Verdict.Retry;
            set => verdicts[status] = value;
        }

        public Verdict Judge(int status) => status < 400 ? Verdict.Accept : this[status];

        /// <summary>Runs it until it is accepted.</summary>
        public async Task<T> RunAsync<T>(Func<Task<T>> work, Func<T, int> status) where T : class
        {
            for (var attempt = 0; ; attempt++)
            {
                var answer = await work();
                if (Judge(status(answer)) == Verdict.Accept) return answer;
                await Task.Delay(Delay(attempt));
                Retried?.Invoke(this, attempt);
            }

            static TimeSpan Delay(int attempt) => First * (1 << Math.Min(attempt, Most));
        }

        void IDisposable.Dispose() => verdicts.Clear();

        public static DoublingPolicy operator +(DoublingPolicy left, int more) => new(left.Attempts + more);

        ~DoublingPolicy() { }
    }
}
