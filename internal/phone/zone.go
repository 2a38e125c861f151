package phone

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // a machine may have no time zone database, or only a part of it
)

// ErrZone says that a name is not a time zone's.
var ErrZone = errors.New("not a time zone of the IANA database, such as America/New_York")

// Zone returns the time zone of an IANA name. "" and "Local" are ErrZone: what
// they mean depends on the machine.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is %w", name, ErrZone)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is %w", name, ErrZone)
	}
	return zone, nil
}
