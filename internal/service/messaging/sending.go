package messaging

import (
	"context"
	"errors"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/people"
)

// How often a carrier is asked that does not take a message now, and how long
// after the first time; each wait is four times the one before.
const (
	maxTries  = 6
	firstWait = time.Second
)

// Handover is a message that its carrier is to be asked to take, once.
type Handover struct {
	Message domain.Message
	Trunk   domain.Trunk
	Try     int64 // from 1
	job     domain.Job
}

// ClaimMessages takes up to limit messages that are due and commits that their
// carriers are asked: whatever happens from here on, a message is not handed over
// a second time unless the carrier has said that it did not take it. It returns
// them with the time at which the next one is due (zero: none waits). One that was
// claimed before and came to no end within lease has failed: whether its carrier
// has it, nobody knows.
func (s *Messaging) ClaimMessages(ctx context.Context, lease time.Duration, limit int) (claimed []Handover, next time.Time, err error) {
	err = s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		claimed = nil
		var jobs []domain.Job
		var err error
		if jobs, next, err = st.Jobs.Claim(ctx, domain.JobMessage, s.Clock(), lease, limit); err != nil {
			return err
		}
		for _, job := range jobs {
			handover, err := s.intend(ctx, st, job)
			if err != nil {
				return err
			}
			if handover != nil {
				claimed = append(claimed, *handover)
			}
		}
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return claimed, next, nil
}

// intend notes that a carrier is asked to take the job's message, or ends what
// must not be sent and returns nil.
func (s *Messaging) intend(ctx context.Context, st *domain.Stores, job domain.Job) (*Handover, error) {
	in := domain.Scope{Workspace: job.WorkspaceID, Mode: job.Mode}
	m, err := st.Messages.Get(ctx, in, job.Subject)
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return nil, end(ctx, st, job) // it was erased
	case err != nil:
		return nil, err
	case m.Status != domain.MessageQueued:
		return nil, end(ctx, st, job)
	case !m.AskedAt.IsZero():
		return nil, s.fail(ctx, st, m, job,
			"interrupted: the server stopped while it asked the carrier; whether the message was sent is not known, and it is not sent again")
	}
	trunk, err := sendable(ctx, st, in, m)
	if known := (*domain.Error)(nil); errors.As(err, &known) && known.Code != domain.CodeInternal && known.Code != domain.CodeUnavailable {
		return nil, s.fail(ctx, st, m, job, known.Message)
	}
	if err != nil {
		return nil, err
	}
	m.AskedAt, m.UpdatedAt = s.Clock(), s.Clock()
	if err := st.Messages.Update(ctx, m); err != nil {
		return nil, err
	}
	return &Handover{Message: *m, Trunk: *trunk, Try: job.Attempt, job: job}, nil
}

// sendable looks once more, right before a message is sent, whether it may be.
func sendable(ctx context.Context, st *domain.Stores, in domain.Scope, m *domain.Message) (*domain.Trunk, error) {
	trunk, err := trunkOf(ctx, st, in, &domain.PhoneNumber{Number: m.From, TrunkID: m.TrunkID})
	if err != nil {
		return nil, err
	}
	return trunk, people.Callable(ctx, st, in, m.To)
}

// FinishMessage notes what the carrier answered: its name for the message, or an
// error, as trunk.Messenger has them.
func (s *Messaging) FinishMessage(ctx context.Context, h *Handover, carrierID string, answer error) error {
	return s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		in := domain.Scope{Workspace: h.Message.WorkspaceID, Mode: h.Message.Mode}
		m, err := st.Messages.Get(ctx, in, h.Message.ID)
		switch {
		case domain.CodeOf(err) == domain.CodeNotFound:
			return end(ctx, st, h.job) // it was erased
		case err != nil:
			return err
		case m.Status != domain.MessageQueued || !m.AskedAt.Equal(h.Message.AskedAt):
			return nil // it was given up meanwhile
		}
		var known *domain.Error
		switch {
		case answer == nil:
			return s.sent(ctx, st, m, h.job, carrierID)
		case !errors.As(answer, &known):
			s.Log.Error("a carrier did not answer whether it takes a message", "message", m.ID, "trunk", m.TrunkID, "err", answer)
			return s.fail(ctx, st, m, h.job, "the carrier did not answer; whether the message was sent is not known, and it is not sent again")
		case again(known) && h.Try < maxTries:
			return s.later(ctx, st, m, h, known)
		}
		return s.fail(ctx, st, m, h.job, known.Message)
	})
}

// again reports whether a carrier that answered so may be asked again.
func again(answer *domain.Error) bool {
	return answer.Code == domain.CodeUnavailable || answer.Code == domain.CodeRateLimited
}

// sent notes that the carrier has taken a message.
func (s *Messaging) sent(ctx context.Context, st *domain.Stores, m *domain.Message, job domain.Job, carrierID string) error {
	now := s.Clock()
	m.Status, m.CarrierID, m.Error, m.AskedAt, m.SentAt, m.UpdatedAt = domain.MessageSent, carrierID, "", time.Time{}, now, now
	if err := s.change(ctx, st, m, domain.EventMessageSent); err != nil {
		return err
	}
	return end(ctx, st, job)
}

// later has the carrier asked again.
func (s *Messaging) later(ctx context.Context, st *domain.Stores, m *domain.Message, h *Handover, answer *domain.Error) error {
	now := s.Clock()
	m.Error, m.AskedAt, m.UpdatedAt = answer.Message, time.Time{}, now
	if err := st.Messages.Update(ctx, m); err != nil {
		return err
	}
	job := h.job
	job.Error, job.NextAt = answer.Message, now.Add(max(answer.RetryAfter, firstWait<<(2*(h.Try-1))))
	return st.Jobs.Finish(ctx, job)
}

// fail gives a message up.
func (s *Messaging) fail(ctx context.Context, st *domain.Stores, m *domain.Message, job domain.Job, why string) error {
	m.Status, m.Error, m.AskedAt, m.UpdatedAt = domain.MessageFailed, why, time.Time{}, s.Clock()
	if err := s.change(ctx, st, m, domain.EventMessageFailed); err != nil {
		return err
	}
	return end(ctx, st, job)
}

// change stores and announces what became of a message.
func (s *Messaging) change(ctx context.Context, st *domain.Stores, m *domain.Message, typ domain.EventType) error {
	if err := st.Messages.Update(ctx, m); err != nil {
		return err
	}
	return s.announce(ctx, st, m, typ)
}

func (s *Messaging) announce(ctx context.Context, st *domain.Stores, m *domain.Message, typ domain.EventType) error {
	return s.o.Announce(ctx, st, domain.Scope{Workspace: m.WorkspaceID, Mode: m.Mode}, &domain.Event{Type: typ, Message: m})
}

// end takes a job off the queue.
func end(ctx context.Context, st *domain.Stores, job domain.Job) error {
	job.State, job.Error = domain.JobDone, ""
	return st.Jobs.Finish(ctx, job)
}
