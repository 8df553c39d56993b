<?php

/**
 * About the namespace.
 */
namespace A;

use B\C, D\E as F;
function one() {}

// Next.
namespace B\C ;

abstract class Two { }
const THREE = 3;
namespace D ?>
<p>
<?php
const FOUR = 4 ?>
text
