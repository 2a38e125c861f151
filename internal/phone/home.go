package phone

import "github.com/nyaruka/phonenumbers"

// Home returns the region that the number belongs to, ISO 3166-1 alpha-2: what
// its plan tells, else, for a number that no plan knows, the main region of its
// country code. "" is for codes that belong to no country.
func (n Number) Home() string {
	if n.Region != "" || n.Class == Satellite {
		return n.Region
	}
	if region := phonenumbers.GetRegionCodeForCountryCode(n.Country); region != "001" && region != "ZZ" {
		return region
	}
	return ""
}

// IsRegion reports whether code is a region that has telephone numbers, such as
// "US".
func IsRegion(code string) bool { return phonenumbers.GetCountryCodeForRegion(code) != 0 }
