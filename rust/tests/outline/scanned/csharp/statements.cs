using System;

var name = args.Length > 0 ? args[0] : "world";
Console.WriteLine($"Hello {name}");
if (name == "x") { Run(1); }

// A function of the file.
static int Run(int a)
{
    int Inner() => a;
    return Inner();
}
void Arrow() => Run(2);

/// <summary>A class below.</summary>
class Below { void M() { } }
