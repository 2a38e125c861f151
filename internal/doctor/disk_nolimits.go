//go:build !linux && !darwin

package doctor

import "errors"

var errUnknown = errors.New("this system does not tell")

func freeBytes(string) (uint64, error) { return 0, errUnknown }

func openFiles() (uint64, error) { return 0, errUnknown }
