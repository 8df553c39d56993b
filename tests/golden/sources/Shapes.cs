namespace Currant.Samples.Shapes;

public readonly record struct Point(double X, double Y)
{
    public static readonly Point Origin = new(0, 0);
    public double Length => System.Math.Sqrt(X * X + Y * Y);
    public static implicit operator Point((double X, double Y) pair) => new(pair.X, pair.Y);
}

public abstract record Shape
{
    public abstract double Area { get; }
    public virtual string Describe() => $"{GetType().Name} of {Area:0.##}";
}

[System.Obsolete("use Polygon")]
public sealed record Rectangle(Point From, Point To) : Shape
{
    public override double Area => (To.X - From.X) * (To.Y - From.Y);
}

public static partial class ShapeExtensions
{
    public static double Total<TShape>(this System.Collections.Generic.IEnumerable<TShape> shapes)
        where TShape : Shape
    {
        double sum = 0;
        foreach (var shape in shapes) sum += shape.Area;
        return sum;
    }

    private struct Cursor { public int At; }
}
