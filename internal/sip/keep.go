package sip

// Keeper remembers dialogs beyond the death of the process, so that the next one
// can end them (UA.ByeFrom). It is asked before the far end hears that the call is
// up, on the way of every call: it must be quick, and need not survive more than
// the process.
type Keeper interface {
	// Keep remembers a dialog under an id of its own.
	Keep(id string, state []byte) error
	// Drop forgets one that is over; one that is not there is no error.
	Drop(id string) error
}

// keep has a dialog remembered. A call is not ended because that failed.
func (u *UA) keep(d *Dialog) {
	if u.opts.Keeper == nil {
		return
	}
	if err := u.opts.Keeper.Keep(d.id.String(), d.State().Bytes()); err != nil {
		u.log.Warn("sip: should this process die, nobody could end a call", "call", d.id.callID, "error", err)
	}
}

// drop has a dialog forgotten that is over.
func (u *UA) drop(d *Dialog) {
	if u.opts.Keeper == nil {
		return
	}
	if err := u.opts.Keeper.Drop(d.id.String()); err != nil {
		u.log.Warn("sip: the next start will end a call again", "call", d.id.callID, "error", err)
	}
}

// String names a dialog for a Keeper.
func (id dialogID) String() string { return id.callID + "\n" + id.localTag + "\n" + id.remoteTag }
