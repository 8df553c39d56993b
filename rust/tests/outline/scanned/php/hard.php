#!/usr/bin/env php
<html><!-- function no() {} '"{ -->
<?php
/** Its constant. */
const A = 1, B = [2, 'x' => ")", /* 3 */ 4], C = <<<EOT
  ); function no() {}
  EOT . 'more', D = A ? 1 : 2;
define('E_1', __DIR__ . '/a'); // trailing
// About F.
define ( "F" , function () { define('NO', 1); } );
defined('G') || define('G', fn($a) => define('NO', 2));
$arrow = fn(int $x): ?int => define('NO', 3);
$app->define('NO', 4);
Registry::define('NO', 5);
define('put' . 'together', 6);
define(NAMED, 7);
# Documented with a hash.
# In two lines, is it?
function &hash(array $a = array(')', "}"), ?callable $b = null, A|B $c = new A(')'), \X\Y&Z ...$d): static|null
{
    const_like($a); define('NO', 8);
    return "{$a['}']} ${b} {$b->c("}")} \{$d } \${" . '\'' . "\"";
}
#[Attribute(Attribute::TARGET_ALL, "]")] // between
#[Other]
/* and here */
abstract class Attributed extends \A\B implements C, namespace\D { // trailing
    use T, \U\V { T::a insteadof V; V::b as protected c; b as d; }
    use W;
    public const int|string CONST_ = 'c', FUN = "d{", /* e */ CLASS_ = self::CONST_;
    final protected const F = [/* g */ 1, 2];
    #[Deprecated] private const G = 1;
    public static ?array $p = ['function no() {', "}", ['a' => [1, 2]]], $q;
    var $r = <<<'NOW'
    } $x
    NOW;
    private readonly A|B|null $s;
    public private(set) string $t = 'a' { get => $this->t . '}'; set(string $v) { $this->t = $v; } }
    public string $u { get { return '{'; } }

    /** Makes one. */
    #[A, B(1)]
    public function __construct(
        private readonly string $name = '}', // promoted
        #[C('{')] protected int $b = 0, # another
        /* last */ public $c = PHP_VERSION_ID > 80000 ? 1 : 2,
    ) {
        parent::__construct();
    }

    // Named like keywords.
    function function() { return $this->class; }
    static function class(): self { return self::function(); }
    public final function list() : array { return [Foo::class, $x->new, $x?->function()]; }
    abstract protected function &later(int $a): ?static;
    abstract function noted(/* a */ $a /* b */) /* c */ : int;

    private function nested()
    {
        if (true) {
            /** Inner. */
            function inner() { class Deep { const H = 1; function deepest() {} } }
        }
        $f = function () use (&$x): int { function in_closure() {} return 1; };
        $g = static fn(array $a = [1, 2]): array => [$a, fn() => 3];
        return new class(function () { function no() {} }) extends B implements C {
            const NO = 1;
            public function no() { return "}"; }
        };
    }

    public function jump($x)
    {
        again:
        switch ($x) {
            case 1: return $x / 2 /* } */ / 3;
            case self::CONST_: { goto again; }
            default: function defaulted() {}
        }
        $y = match (true) { $x < 3, $x <<2 => 'a', default => <<<"A"
            {$x['A']} B "
            A, };
        $z = $x ? function () {} : function () { return 1; };
        $cmd = `ls "{$x["`"]}" '`;
        $a->{'b' . $c}['}'] = $$d->{"e{$f}"};
        enumerate($x); $enum = $enum::X;
        return new #[A] readonly class { public function no() {} };
    }
}

interface I extends J, \K\L
{
    const M = 'n';
    public static function o(): void;
    // Behind p
    function p($q = array());
}

trait T { abstract function a(); protected function b() {} }
/** An enumeration. */
enum E: string implements I { case A = 'a'; case CLASS_ = "}"; #[X] case B = 'b';
    const C = self::A; public static function f(): self { return self::A; } }
enum Bare { case One; case Two; }
final readonly class Both { public function __construct(public int $a) {} }
CLASS Upper EXTENDS A { PUBLIC STATIC FUNCTION Shout() { RETURN NEW CLASS { FUNCTION no() {} }; } }

if ($x): ?>
  <p>function no() {} <?= $y['a'] ?> isn't <?php function in_alternative() { ?> text } <?php } ?></p>
<?php elseif ($y): // a comment ends at the tag ?> function no() { <?php
    function other() {}
else: /* here ?> not */ endif;
foreach ($a as $b): function looped() {} endforeach;
while ($x < 3 && $y > 4): endwhile;
?>
<script>var a = "<?php echo "?>"; # ?>"; function no() { }</script>
<?php
function über(): never { exit; }
function last() { return "a
  // not a comment
  /* nor this "; } ?>
trailing text { ( [
