package phone

import (
	"errors"
	"slices"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// ErrNoPlace says that a number's time zone cannot be told from it.
var ErrNoPlace = errors.New("the time zone of this number cannot be told: give the contact's own")

// What makes the zones of a number too many to be of use: it would rarely be
// day in all of them.
const (
	mostZones  = 6
	mostSpread = 4 * time.Hour
)

// Places returns the time zones that a number may be in, by its numbering plan;
// ErrNoPlace when that tells none, or so many that it says nothing at instant
// at. Their order is that of their names.
func Places(n Number, at time.Time) ([]*time.Location, error) {
	names, err := zoneNames(n)
	if err != nil {
		return nil, err
	}
	var places []*time.Location
	for _, name := range names {
		zone, err := Zone(name)
		if err != nil {
			return nil, ErrNoPlace
		}
		places = append(places, zone)
	}
	if len(places) == 0 || len(places) > mostZones || spread(places, at) > mostSpread {
		return nil, ErrNoPlace
	}
	return places, nil
}

func zoneNames(n Number) ([]string, error) {
	if names, found := override(n.E164); found {
		return names, nil
	}
	switch n.Class {
	case Satellite, TollFree, UAN, Premium:
		return nil, ErrNoPlace
	}
	if n.Country == 1 && n.Region == "" {
		return nil, ErrNoPlace // an area code of no place, such as 500
	}
	parsed, err := phonenumbers.Parse(n.E164, "")
	if err != nil {
		return nil, ErrNoPlace
	}
	names, err := phonenumbers.GetTimezonesForNumber(parsed)
	if err != nil || slices.Contains(names, phonenumbers.UNKNOWN_TIMEZONE) {
		return nil, ErrNoPlace
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// spread is how far the wall clocks of the zones are apart.
func spread(places []*time.Location, at time.Time) time.Duration {
	var least, most int
	for i, zone := range places {
		_, offset := at.In(zone).Zone()
		if i == 0 || offset < least {
			least = offset
		}
		if i == 0 || offset > most {
			most = offset
		}
	}
	return time.Duration(most-least) * time.Second
}
