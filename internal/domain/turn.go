package domain

// Role says who spoke a turn.
type Role string

// The two roles.
const (
	RoleAgent  Role = "agent"
	RoleCaller Role = "caller"
)

// Turn is what one side said without the other taking over. The agent's text is
// what was really played. Times are milliseconds since the call was answered.
type Turn struct {
	CallID      ID
	Sequence    int // 1 for the first turn
	Role        Role
	Text        string
	StartMs     int64
	EndMs       int64
	Interrupted bool   // the agent was cut off by the caller
	Note        string // "" or what was special: the placeholder voice spoke
	NodeID      string // the flow's node that made the agent speak, or that heard the caller
}
