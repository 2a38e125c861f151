//go:build !failpoint

package failpoint

// Hit marks a moment. This build goes on.
func Hit(Name) {}
