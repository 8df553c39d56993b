namespace Example.Modern;

/// <summary>Raw strings.</summary>
public class Raw
{
    const string One = """class No { " "" }""";
    public string Two() { return """"
        void No() { """ }
        """"; }
    string Three => $$"""{ "a": {{value}} } { void No() { }""";
    string Four(int a) => $"""{a:hh':'mm} {Foo("}")}""";
    int[] Five() { int[] a = [1, 2, ..b]; return [.. a]; }
    bool Six(object o) => o is [1, .., { Length: > 2 } x] and ("a" or 'b');
}

file interface IOnly { }
