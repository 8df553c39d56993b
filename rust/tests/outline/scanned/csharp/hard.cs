// Copyright: about the file.
#nullable enable
using System;
using static System.Math;
using Alias = System.Collections.Generic.Dictionary<string, int>;
global using System.Linq;
[assembly: System.Reflection.AssemblyTitle("a ] in a string")]

namespace Example . Hard
{
    using Inner;

    /// <summary>A delegate.</summary>
    [Obsolete("use } another"), Other(typeof(int[]))]
    public delegate TResult Make<in T, out TResult>(T first, (int a, string b) pair) where T : class, new();

    /** Documented
     *  by a block. */
    [Serializable] public abstract partial class Strings<T, U> : Base<Dictionary<string, U>>, IDisposable
        where T : struct, IComparable<T>
        where U : class?
    {
        public const string Plain = "a \" } class No {", Verbatim = @"c:\", Doubled = @"a ""{"" b";
        const string Interpolated = $"a {F("}")} {{ {(true ? "b" : $"{c}")}";
        static readonly string Both = $@"\{x}", Other = @$"{y}";
        private static readonly Dictionary<string, List<int>> Table = new Dictionary<string, List<int>>(), Second = null;
        readonly static char[] Chars = { '"', '\'', '{', '\u007d', '\\', 'é' };
        private readonly int field = 3, other;
        public int Public; // behind it
        unsafe fixed byte buffer[16];
        public static readonly Func<int, int> Lambda = x => { int No(int y) { return y; } return x; };
        internal event EventHandler<EventArgs>? Closed, Opened = delegate { };
        public static readonly int[,] Grid = new int[,] { { 1, 2 }, { 3, 4 } };
        const int One = 1 /* inside */, Two = 2; const bool Less = One < Two;

        /// <summary>
        /// See <see cref="T:Other"/> &lt; 3.
        /// </summary>
        /// <param name="handler">The one.</param>
        public event EventHandler Custom { add { list.Add(value); } remove => list.Remove(value); }
        event EventHandler IDisposable.Explicit { add { } remove { } }

        static Strings() { }
        // Two lines
        // above.
        protected internal Strings(int a, string b = "{") : base(a, x => { return 1; }) { }
        public Strings() : this(1) => Init();
        ~Strings() { }

        public int Auto { get; private set; } = 3;
        public string Text { get => text; set { text = value; } }
        public required List<int> Items { get; init; } = new() { 1, 2 };
        public override int Arrow => items.Count;
        int IList<T>.Count { get { return 1; } }
        public ref readonly int Reference => ref field;
        public (int Left, string Right) Pair { get; set; }
        public (int, int)? Maybe => null;
        public int?[] Array { [return: A] get; }
        public T this[int index, string name] { get { return default; } set { } }
        string IThing.this[int index] => "";

        public void Simple() { }
        [Test] [Case("a", 1)]
        // Between attribute and method.
        public static async Task<List<T>> Generic<TKey, TValue>(
            this Dictionary<TKey, TValue> a, // what for
            [In] ref int b, params object[] c)
            where TKey : notnull
            where TValue : IEnumerable<TKey>, new()
        {
            // A local function:
            static int Local<X>(X x, int y = 3) where X : class => y;
            async Task Other() { await Task.Yield(); void Deep() { } }
            (int, int) Tuple() => (1, 2);
            int[] Arrays(int[] a) { return a; }
            [Attribute] static void Attributed() { }
            Dictionary<string, List<int>>? Nullable() { return null; }
            unsafe int* Pointer() => null;
            System.Collections.IEnumerator Qualified() { yield return 1; }
            if (Foo(1)) { Bar(); } else if (Baz(2)) { }
            foreach (var (k, v) in a) { Console.WriteLine($"{k}: {v}"); }
            using (var x = Open(1)) { }
            await using (Open()) { }
            for (int i = 0; i < 3; i++) { }
            switch (b) { case 1: Foo(2); break; case 2 when b < c.Length: { break; } default: return null; }
            var r = b switch { 1 => "a", > 2 and < 5 => "b", not 3 => "c", _ => throw new Exception("d") };
            var q = from x in c where x != null orderby x select new { x };
            var o = new Foo(1) { A = 2, B = { 3 } };
            Func<int, int> f = x => x + 1; Action g = () => { void InLambda() { } };
            Action<int> h = delegate (int x) { Foo(x); };
            label: goto label;
            lock (this) { } fixed (byte* p = &b) { } checked { } unsafe { }
            try { } catch (Exception e) when (e is Foo(1, 2)) { } finally { }
            if (o is { A: 1, B: var z } and not Point(1, 2)) { return null; }
            const int hidden = 3;
            return await Foo<int, string>(1);
        }
        public abstract void Abstract(int a);
        [DllImport("a.dll")] private static extern unsafe void* Extern(delegate*<int, void> callback);
        void IDisposable.Dispose() => Foo();
        T? IGeneric<T, U>.Method<V>() where V : default { return default; }
        public static bool operator ==(Strings<T, U> a, Strings<T, U> b) => a < b;
        public static bool operator < (S a, S b) { return true; }
        public static S operator checked ++(S a) => a;
        public static bool operator true(S a) => true;
        public static S operator >>>(S a, int b) => a;
        public static implicit operator int(S a) => 1;
        public static explicit operator List<int>(S a) { return null; }
        public new virtual int Hidden() => 1;
        partial void Partial();
        ref int Ref(ref int a) { return ref a; }

#region don't care about "quotes
#if DEBUG
        public void InDebug() { }
#else
        public void InRelease() { }
#endif
#endregion

        /// <summary>Conditional attributes.</summary>
#if NET
        [Serializable]
#endif
        [Third]
        public class Nested { private protected struct Slot { public void Clear() { } } };

        public enum Level : byte { Low = 1, /* no */ High = (1 << 2), [Old] Last }
        interface IListener<out T> { void Notify(string what); int Order { get; } static int Count() => 1; }
        readonly ref struct Span { }
    }

    public record Person(string Name, int Age = 3) : Base(Name), IPerson { public int Twice => Age * 2; }
    public record Empty;
    public readonly record struct Spot(double X, double Y);
    record class Explicit { }
    struct Primary(int a, string b) { int A => a; }
    namespace Deeper { class Leaf { } }
    static class @class { static void @void() { } }
}
