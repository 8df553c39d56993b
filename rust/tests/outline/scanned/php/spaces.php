<?php
declare(strict_types=1);
/* Opens with a block. */
namespace First\Second {
    use A\{B, C as D};
    use function E\f;
    const ONE = 1;
    /** A class. */
    class Two { function three() { namespace\four(); } }
    function four() {}
}
namespace {
    define('FIVE', 5);
    function six() {}
}
namespace Third { interface Seven {} }
