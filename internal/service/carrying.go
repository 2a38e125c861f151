package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Progress notes that a call that is under way rings or was answered. It never
// waits for the disk: what is noted is written within a tenth of a second.
func (s *Service) Progress(call domain.Call, a domain.Attempt) bool {
	taken := s.buffer.Put(func(ctx context.Context, st *domain.Stores) error {
		row, err := st.Calls.ByID(ctx, call.ID)
		if err != nil {
			return err
		}
		if row.State.Ended() {
			return nil
		}
		row.State, row.RingingAt, row.AnsweredAt = call.State, call.RingingAt, call.AnsweredAt
		row.Notes, row.SIPCallID = call.Notes, call.SIPCallID
		if err := st.Calls.Update(ctx, row); err != nil {
			return err
		}
		held := a
		if err := st.Attempts.Update(ctx, &held); err != nil {
			return err
		}
		return s.Heard(ctx, st, row, &held, 0)
	})
	if call.State == domain.CallInProgress {
		// The dialog is what others need to hang up after a crash.
		s.background.Go(s.flushSoon)
	}
	return taken
}

// flushSoon has what was noted written at once.
func (s *Service) flushSoon() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.buffer.Flush(ctx); err != nil {
		s.Log.Debug("what was noted of calls is not on disk yet", "err", err)
	}
}

// SaveRecording notes the recording store's name for the sound of a call,
// without waiting for the disk.
func (s *Service) SaveRecording(call domain.ID, name string) bool {
	return s.buffer.Put(func(ctx context.Context, st *domain.Stores) error {
		row, err := st.Calls.ByID(ctx, call)
		if err != nil {
			return err
		}
		row.Recording = name
		return st.Calls.Update(ctx, row)
	})
}

// SaveTurn notes a turn that has ended, without waiting for the disk. A caller
// who says not to be called again is not.
func (s *Service) SaveTurn(t domain.Turn) bool {
	s.heedOptOut(t)
	return s.buffer.Put(func(ctx context.Context, st *domain.Stores) error {
		return st.Turns.Append(ctx, t)
	})
}

// Verdict is how a call ended.
type Verdict struct {
	Call     domain.ID
	Attempt  domain.Attempt
	Reason   domain.EndReason
	EndedAt  time.Time
	Captured map[string]any
	Notes    []string
	Voice    string
	Model    string

	RetryAfter time.Duration // how long the far end that refused it asked not to be called again, at most 1 h; 0 when it did not
}

// FinishCall writes down how a call ended, with its events, their deliveries
// and the analysis that follows, in one transaction. Repeating it changes
// nothing.
func (s *Service) FinishCall(ctx context.Context, v Verdict) error {
	if err := s.buffer.Flush(ctx); err != nil {
		return err
	}
	return s.Store.InTx(ctx, domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
		call, err := st.Calls.ByID(ctx, v.Call)
		if err != nil {
			return err
		}
		if v.Attempt.ID != "" {
			if err := endAttempt(ctx, st, v, call.State.Ended()); err != nil {
				return err
			}
		}
		if call.State.Ended() {
			return nil
		}
		call.EndedAt, call.EndReason = v.EndedAt, v.Reason
		call.State = domain.EndedState(!call.AnsweredAt.IsZero(), v.Reason)
		if v.Captured != nil {
			call.Captured = v.Captured
		}
		if v.Notes != nil {
			call.Notes = v.Notes
		}
		if v.Voice != "" {
			call.Voice = v.Voice
		}
		if v.Model != "" {
			call.Model = v.Model
		}
		payer, err := price(ctx, st, call)
		if err != nil {
			return err
		}
		if err := st.Calls.Update(ctx, call); err != nil {
			return err
		}
		if err := s.Heard(ctx, st, call, &v.Attempt, v.RetryAfter); err != nil {
			return err
		}
		if err := s.over(ctx, st, call, v.RetryAfter); err != nil {
			return err
		}
		return s.charge(ctx, st, payer, call)
	})
}

// endAttempt ends the attempt of a call. Only that of a call that is over may have
// ended: whoever ends an attempt that was sent ends its call with it.
func endAttempt(ctx context.Context, st *domain.Stores, v Verdict, over bool) error {
	a := v.Attempt
	if over {
		now, err := st.Attempts.Get(ctx, a.ID)
		if err != nil || now.State == domain.AttemptEnded {
			return err
		}
	}
	a.State, a.EndReason, a.EndedAt = domain.AttemptEnded, v.Reason, v.EndedAt
	return st.Attempts.Update(ctx, &a)
}

// over settles a call that has ended with whom it was for, emits its events and
// orders its analysis. retryAfter is for how long the far end asked not to be
// called again.
func (s *Service) over(ctx context.Context, st *domain.Stores, call *domain.Call, retryAfter time.Duration) error {
	turns, err := st.Turns.ByCall(ctx, call.ID)
	if err != nil {
		return err
	}
	if err := s.Settle(ctx, st, call, turns, retryAfter); err != nil {
		return err
	}
	events := []domain.EventType{domain.EventCallEnded}
	if call.State == domain.CallFailed {
		events[0] = domain.EventCallFailed
	}
	if call.AnsweredAt.IsZero() { // nothing was said
		return s.emit(ctx, st, call, turns, events...)
	}
	events = append(events, domain.EventTranscriptReady)
	if call.Recording != "" {
		events = append(events, domain.EventRecordingReady)
	}
	if err := s.emit(ctx, st, call, turns, events...); err != nil {
		return err
	}
	now := s.Clock()
	return st.Jobs.Create(ctx, &domain.Job{
		ID: domain.NewID(), WorkspaceID: call.WorkspaceID, Mode: call.Mode, Kind: domain.JobAnalysis,
		Subject: call.ID, State: domain.JobPending, NextAt: now, CreatedAt: now,
	})
}

// CompleteAnalysis stores the analysis of the call that job is about, announces
// it, and stores the job's end. A call that has an analysis keeps it.
func (s *Service) CompleteAnalysis(ctx context.Context, job domain.Job, a domain.Analysis) error {
	return s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		call, err := st.Calls.ByID(ctx, job.Subject)
		if err != nil {
			return err
		}
		if call.Analysis == nil {
			call.Analysis = &a
			if err := s.announceAnalysis(ctx, st, call); err != nil {
				return err
			}
		}
		return st.Jobs.Finish(ctx, job)
	})
}

func (s *Service) announceAnalysis(ctx context.Context, st *domain.Stores, call *domain.Call) error {
	if err := st.Calls.Update(ctx, call); err != nil {
		return err
	}
	turns, err := st.Turns.ByCall(ctx, call.ID)
	if err != nil {
		return err
	}
	return s.emit(ctx, st, call, turns, domain.EventAnalysisComplete)
}
