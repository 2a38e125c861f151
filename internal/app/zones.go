package app

import (
	"os"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/phone"
)

// systemZones is where systems keep their time zones.
const systemZones = "/usr/share/zoneinfo"

// zonesAge is how old the time zones may be before somebody should care.
const zonesAge = 180 * 24 * time.Hour

var preferOnce sync.Once

// preferZones takes the system's time zones if they are newer than those that
// are compiled in, and says when all are old: laws change the clocks several
// times a year.
func (a *App) preferZones() {
	preferOnce.Do(func() { phone.PreferZones(os.DirFS(systemZones)) })
	zones := phone.Zones()
	if age := time.Since(zones.Released); !zones.Released.IsZero() && age > zonesAge {
		a.log.Warn("the time zones are old; install a newer tzdata, or a newer Callwright", "version", zones.Version, "days", int(age.Hours()/24))
	}
}
