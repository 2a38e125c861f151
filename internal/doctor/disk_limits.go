//go:build linux || darwin

package doctor

import "syscall"

// freeBytes is how much an ordinary user may still write to dir's disk.
func freeBytes(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil //nolint:gosec,unconvert // sizes are not negative; their types differ between systems
}

// openFiles is how many files this process may have open.
func openFiles() (uint64, error) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, err
	}
	return uint64(r.Cur), nil //nolint:unconvert // the type differs between systems
}
