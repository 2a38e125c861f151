package store

// CrewSize is how many transactions PostgreSQL has under way at once.
const CrewSize = crewSize
