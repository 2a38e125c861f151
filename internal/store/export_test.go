package store

// Sizes of the crew that writes to PostgreSQL.
const (
	CrewSize     = crewSize
	CrewForCalls = crewForCalls
)

// LostPatience is how long writes wait for a database that went away.
const LostPatience = lostPatience
