package phone

// ForgetZones goes back to the database that is compiled in.
func ForgetZones() {
	zones.Lock()
	defer zones.Unlock()
	zones.files = nil
}

// LongestPrefix is how many digits of a number the overrides look at.
const LongestPrefix = longestPrefix

// Overridden returns the zones by prefix.
func Overridden() map[string][]string { return overridden }
