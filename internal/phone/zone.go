package phone

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"
)

// ErrZone says that a name is not a time zone's.
var ErrZone = errors.New("not a time zone of the IANA database, such as America/New_York")

// packed is the IANA time zone database as Debian compiles it; mkzones.go makes
// it. The one that comes with Go is often older than the laws that it is to know.
//
//go:generate go run mkzones.go /usr/share/zoneinfo 2026-10-29
//go:embed zones.zip
var packed []byte

// ZoneData names a version of the time zone database.
type ZoneData struct {
	Version  string    // "2026f"; versions sort by their age
	Released time.Time // the zero time when that is not known
}

// zonesAge is how old the database may be before somebody should care: laws
// change the clocks several times a year.
const zonesAge = 180 * 24 * time.Hour

// Old reports whether somebody should care for a newer version at now, and how
// many days ago this one was released; a release that is not known is not old.
func (z ZoneData) Old(now time.Time) (days int, old bool) {
	if z.Released.IsZero() {
		return 0, false
	}
	age := now.Sub(z.Released)
	return int(age / (24 * time.Hour)), age > zonesAge
}

// zones is the database in use, and what was read of it.
var zones struct {
	sync.Mutex
	ZoneData
	files  fs.FS
	loaded map[string]*time.Location
}

// Zone returns the time zone of an IANA name. "" and "Local" are ErrZone: what
// they mean depends on the machine.
func Zone(name string) (*time.Location, error) {
	switch {
	case name == "UTC":
		return time.UTC, nil
	case name == "Local" || !fs.ValidPath(name) || name == ".":
		return nil, fmt.Errorf("%q is %w", name, ErrZone)
	}
	zones.Lock()
	defer zones.Unlock()
	unpack()
	if zone, ok := zones.loaded[name]; ok {
		return zone, nil
	}
	raw, err := fs.ReadFile(zones.files, name)
	if err != nil {
		return nil, fmt.Errorf("%q is %w", name, ErrZone)
	}
	zone, err := time.LoadLocationFromTZData(name, raw)
	if err != nil {
		return nil, fmt.Errorf("%q is %w", name, ErrZone)
	}
	zones.loaded[name] = zone
	return zone, nil
}

// unpack makes the packed database the one in use when there is none. The
// caller holds the lock.
func unpack() {
	if zones.files != nil {
		return
	}
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		z = &zip.Reader{} // no zones; a test reads the file that is compiled in
	}
	zones.files, zones.loaded = z, make(map[string]*time.Location)
	version, day, _ := strings.Cut(z.Comment, " ")
	released, err := time.Parse(time.DateOnly, day)
	if err != nil {
		released = time.Time{}
	}
	zones.ZoneData = ZoneData{Version: version, Released: released}
}

// FirstZone returns the first of the named time zones that there is, else UTC.
func FirstZone(names ...string) *time.Location {
	for _, name := range names {
		if zone, err := Zone(name); err == nil {
			return zone
		}
	}
	return time.UTC
}

// Zones returns the version of the database in use.
func Zones() ZoneData {
	zones.Lock()
	defer zones.Unlock()
	unpack()
	return zones.ZoneData
}

// PreferZones takes files, a directory of compiled zones as the system has it
// (/usr/share/zoneinfo), instead of the database that is compiled in, if it is of
// a newer version. It is called once, before zones are asked for.
func PreferZones(files fs.FS) (used bool) {
	version := versionOf(files)
	zones.Lock()
	defer zones.Unlock()
	unpack()
	if version <= zones.Version {
		return false
	}
	zones.files, zones.loaded = files, make(map[string]*time.Location)
	zones.ZoneData = ZoneData{Version: version}
	return true
}

// versionOf reads the version of a directory of zones, "" when it says none:
// Debian writes it into the first line of tzdata.zi, others into +VERSION.
func versionOf(files fs.FS) string {
	line := firstLine(files, "tzdata.zi")
	version, found := strings.CutPrefix(line, "# version ")
	if !found {
		version = firstLine(files, "+VERSION")
	}
	if len(version) < 5 || version < "2000" || version > "2999" {
		return ""
	}
	return version
}

func firstLine(files fs.FS, name string) string {
	f, err := files.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close() // it was only read
	head, err := io.ReadAll(io.LimitReader(f, 64))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(head), "\n")
	return strings.TrimSpace(line)
}
