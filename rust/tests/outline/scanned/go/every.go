//go:build linux

// Package every has something of everything that a scanner may trip over.
package every

import "fmt"
import (
	. "strings" // dot
	_ "embed"
	x "os"
)

/*
#include <stdio.h>
*/
import "C"

const raw = `a "quoted" 'thing' // no comment
} { ) ( /* none */ func f() {`

const (
	quote      = '"'
	brace      = '{'
	escaped    = '\''
	slash      = '\\'
	float      = 1.
	hex        = 0x1p-2 // trailing
	_          = iota
	one, two   = 1, 2
	three, _   = 3, 4
	_, four    = 5, 6
	_, _, five = 7, 8,
		9
	long = 1 +
		2
	commented = 1 + // why
		2
	broken /* a */ = /* b
	c */ 3
)

const a, b = 1,
	2; const c = 3

var (
	table = map[string]func(a int) (b interface{ InMap() }, err error){
		"}": func(int) (interface{ InMap() }, error) { return nil, nil },
		// the last
		"{": nil,
	}
	// above point
	point struct {
		// X is a field
		X, Y int `json:"}"`
		fn   interface{ NotHere() }
	}
	any interface {
		// Here is a method.
		Here(a interface{ NorHere() }) (b int)
		fmt.Stringer
	}
	ch   chan<- func() <-chan struct{}
	arr  = [...]int{1, 2, 3}
	call = make(map[string]interface{})["x"].(func() int)
)

var f = func() {
	type inValue struct{ a int }
	const hidden = 1
	var hiddenToo interface{ Shown() }
}

type Number interface {
	~int | ~int64 |
		~float64
	comparable
	String() string
	Nested() interface{ Deep(int) error }
}

type Pair[K comparable, V any] struct{ key K; value V }
type List[T interface{ ~[]E; Len() int }, E any] []E
type Tree[T any] interface {
	Walk(func(T) bool) (n int, err error)
}
type Array [raw_]int
type Matrix [n * m]struct{ a int }
type Length [len("]")]byte
type Pkg [x.N]byte
type Slice []interface{ InSlice() }
type Func func(a struct{ b int }, b interface{ NotInFunc() }) interface{ InFunc() }
type Chan <-chan Pair[string, []int]
type Ptr *Pair[int, int]
type Paren (struct{ a int })
type Empty struct{}
type None interface{}
type Gen[P *T,] struct{}
type Gen2[P *T | int] struct{}
type Gen3[P *T | ~int] struct{}
type Call [f(x)]struct{ a int }
type Star [N * M]int

type (
	A = struct{ a int }
	// B is one.
	B[T any] = Pair[T, T]
	D        = interface{ OfAlias() }

	E int; F string
)

// Get gets.
//
//	code
func (p *Pair[K, V]) Get() (K, V) { return p.key, p.value }
func (Pair[_, _]) Unnamed()  {}
func (  p   Pair [K,V],  ) Spaced() {}
func (p *Pair[K,
	V]) Broken(
	a int, // first
	/* second */ b func(x int) (y int),
) (
	c int,
) {
	return 0
}

func Map[T, U any, S ~[]T](s S, f func(T) U) []U {
	type local[X any] struct{ x X }
	switch s := any(s).(type) {
	case interface{ InCase() }:
	case []struct{ type_ int }:
	}
	switch x := s.( type ) {
	}
	var r = '}'
	go func() {
		type (
			inner  struct{}
			inner2 interface{ M() }
		)
		defer func() { recover() }()
	}()
	if x := (Pair[int, int]{1, 2}); x.key == 1 {
	}
label:
	for range s {
		goto label
	}
	_ = `}` + "}" + "\"}" + string('}')
	// a comment at the end
}

// Follows has documentation.
func Follows() interface{ Result() } { return nil }
func result() struct{ a interface{ No() } } { panic("") }
func results() (struct{ a int }, map[string]struct{}) { panic("") }
func returns() func(int) (func() error, error) { return nil }
func asm(x uint64) uint64 // no body

//go:noescape
func asm2(x uint64)
func asm3() (a, b int); func asm4()
func über(ä int) {}

/* one */ /* two */
// three
func documented() {}

// apart

func undocumented() {} // trailing
// below trailing
func below() {}
//! not this
func around() {}
