package app

import (
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/phone"
)

// systemZones is where systems keep their time zones.
const systemZones = "/usr/share/zoneinfo"

// preferZones takes the system's time zones if they are newer than those that
// are compiled in.
var preferZones = sync.OnceFunc(func() { phone.PreferZones(os.DirFS(systemZones)) })

// warnOfZones says when all time zones that there are are old.
func warnOfZones(log *slog.Logger) {
	zones := phone.Zones()
	if days, old := zones.Old(time.Now()); old {
		log.Warn("the time zones are old; install a newer tzdata, or a newer Callwright", "version", zones.Version, "days", days)
	}
}
