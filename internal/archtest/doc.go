// Package archtest proves the shape of the house: which package may import
// which, how large things may grow, and what must not be written. It holds tests
// only; each failure says what to do.
package archtest
