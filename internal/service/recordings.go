package service

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// linkPeriod is the grain of a recording link's end: within one period the link
// of a call stays the same, so that answers which hold it can be cached. A link
// works for one to two periods.
const linkPeriod = 24 * time.Hour

// Recording is the sound of a call, open for reading.
type Recording struct {
	domain.RecordingReader
	Call    domain.ID
	EndedAt time.Time
}

// RecordingURL returns a signed link to the recording of a call that is over,
// or "" when there is none. The link begins with the public URL; without one it
// begins with the path.
func (s *Service) RecordingURL(c *domain.Call) string {
	if c.Recording == "" || !c.State.Ended() {
		return ""
	}
	expires := s.LinksEnd()
	return s.publicURL + "/api/v1/recordings/" + string(c.ID) + "?expires=" + strconv.FormatInt(expires, 10) + "&signature=" + s.signLink(c.ID, expires)
}

// LinksEnd is when the links to recordings that are made now end, in Unix
// seconds. Until it changes the link of a call stays the same.
func (s *Service) LinksEnd() int64 {
	return s.Now().Truncate(linkPeriod).Add(2 * linkPeriod).Unix()
}

// signLink is HMAC-SHA256 over the call and the end of the link, in hex.
func (s *Service) signLink(call domain.ID, expires int64) string {
	mac, ready := s.signers.Get().(hash.Hash)
	if !ready {
		mac = hmac.New(sha256.New, s.signingKey)
	}
	defer s.signers.Put(mac)
	mac.Reset()
	var room [128]byte
	text := append(append(append(room[:0], "recording\n"...), call...), '\n')
	_, _ = mac.Write(strconv.AppendInt(text, expires, 10)) // a hash takes everything
	return hex.EncodeToString(mac.Sum(room[:0]))
}

// OpenSignedRecording opens the recording that a link leads to. A link that was
// changed or has ended is CodeForbidden.
func (s *Service) OpenSignedRecording(ctx context.Context, call domain.ID, expires, signature string) (*Recording, error) {
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(signature), []byte(s.signLink(call, until))) {
		return nil, domain.Errorf(domain.CodeForbidden, "the link's signature is wrong; read the call again for a new recordingUrl")
	}
	if s.Now().Unix() >= until {
		return nil, domain.Errorf(domain.CodeForbidden, "the link has expired; read the call again for a new recordingUrl")
	}
	// The signature proves that somebody who may see the call was given the link.
	return s.openRecording(ctx, call, func(ctx context.Context, st *domain.Stores) (*domain.Call, error) {
		return st.Calls.ByID(ctx, call)
	})
}

// OpenRecording opens the recording of a call in scope.
func (s *Service) OpenRecording(ctx context.Context, in domain.Scope, call domain.ID) (*Recording, error) {
	return s.openRecording(ctx, call, func(ctx context.Context, st *domain.Stores) (*domain.Call, error) {
		return st.Calls.Get(ctx, in, call)
	})
}

func (s *Service) openRecording(ctx context.Context, id domain.ID,
	get func(context.Context, *domain.Stores) (*domain.Call, error)) (*Recording, error) {
	call, err := rule.View(ctx, &s.Kit, get)
	if err != nil {
		return nil, err
	}
	if call.Recording == "" || !call.State.Ended() || s.recordings == nil {
		return nil, domain.Errorf(domain.CodeNotFound, "Call with id %s has no recording", id)
	}
	sound, err := s.recordings.Open(ctx, call.Recording)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, domain.Errorf(domain.CodeNotFound, "The recording of call %s was deleted", id)
	}
	if err != nil {
		return nil, err
	}
	return &Recording{RecordingReader: sound, Call: id, EndedAt: call.EndedAt}, nil
}
