// Package bench measures raynoded against what it replaces: the loop over `ray
// status` of the recipes, and `ray start --block` as a unit. It runs the
// installed package and real Ray on booted hosts, and writes the numbers of
// docs/performance.md.
//
// test/bench/run starts it. The measuring itself has the build tag bench; what
// is here without it is the arithmetic and the text.
package bench
