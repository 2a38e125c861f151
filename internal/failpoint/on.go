//go:build failpoint

package failpoint

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

var hits atomic.Int64

// armed reads once where to die. A build that is made to die must not go on
// because of a misspelled point: it ends at once, and says why.
var armed = sync.OnceValues(func() (Name, int64) {
	name, hit, err := parse(os.Getenv(Variable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		die()
	}
	return name, hit
})

// Hit ends the process when it is the moment and the time that Variable names.
// Who comes to it later waits for the end, too.
func Hit(name Name) {
	point, hit := armed()
	if name == point && hits.Add(1) >= hit {
		die()
	}
}

// die ends the process as the kernel ends it, and never returns.
func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill() // SIGKILL to oneself is always allowed
	}
	select {}
}
