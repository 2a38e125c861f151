package native

import (
	"context"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/outreach"
)

// DialingCheck is whether a campaign in live mode may call a number.
type DialingCheck struct {
	Allowed       bool         `json:"allowed"`
	Reason        *string      `json:"reason" enum:"invalid_number,destination_not_allowed,region_not_allowed,do_not_call,no_consent,timezone_unknown,outside_window,cap_day,cap_24_hours,cap_7_days,cap_30_days,cap_gap,cap_after_talk,daily_budget"`
	Message       *string      `json:"message" doc:"The reason for people."`
	NextAllowedAt wire.Instant `json:"nextAllowedAt" doc:"The first time at or after the one asked about; null when there is none within eight days, or the number may not be called at all."`
	Zones         []string     `json:"zones" doc:"The time zones that the called party may be in, all of which must allow the call."`
	LocalTimes    []string     `json:"localTimes" doc:"The wall clocks of the zones at the time asked about."`
	Rules         []string     `json:"rules" doc:"The rules that were applied."`
	RulesVersion  string       `json:"rulesVersion"`
	ZonesVersion  string       `json:"zonesVersion" doc:"Of the IANA time zone database."`
}

type dialingQuery struct {
	To       string `query:"to" required:"true" doc:"The number, E.164; its plus sign is %2B in a URL."`
	At       string `query:"at" doc:"When, ISO 8601; now when not sent."`
	Timezone string `query:"timezone" doc:"The called party's own zone, IANA; when not sent that of the contact with the number, else what the number tells."`
	Purpose  string `query:"purpose" enum:"unspecified,informational,marketing,survey,debt,emergency" doc:"Of the campaign, which chooses hours, caps and whether a consent must be recorded on the contact with the number; unspecified when not sent."`
	Rules    string `query:"rules" enum:"all,window" doc:"window looks at the hours only."`
}

func (f *face) dialingRoutes(rt *wire.Router) {
	wire.Handle(rt, wire.Route{
		Method: http.MethodGet, Path: Root + "/dialing/check", ID: "check-dialing", Scope: "dialing:read", Summary: "Tell whether a number may be called, and when",
	}, f.checkDialing)
}

func (f *face) checkDialing(ctx context.Context, in *dialingQuery) (*object[DialingCheck], error) {
	q := outreach.DialingQuestion{To: wire.Plus(in.To), Timezone: in.Timezone, Purpose: domain.Purpose(in.Purpose), WindowOnly: in.Rules == "window"}
	if in.At != "" {
		var err error
		if q.At, _, err = wire.ParseInstant("at", in.At); err != nil {
			return nil, err
		}
	} else {
		q.At = time.Now().UTC()
	}
	a, err := f.rules.CheckDialing(ctx, wire.ScopeOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := DialingCheck{
		Allowed: a.Allowed, Reason: orNull(a.Reason), Message: orNull(a.Why), NextAllowedAt: wire.Instant(a.NextAllowedAt),
		Zones: make([]string, len(a.Zones)), LocalTimes: make([]string, len(a.Zones)), Rules: make([]string, len(a.Rules)),
		RulesVersion: a.RulesVersion, ZonesVersion: phone.Zones().Version,
	}
	for i, zone := range a.Zones {
		out.Zones[i], out.LocalTimes[i] = zone.String(), q.At.In(zone).Format("2006-01-02T15:04:05-07:00")
	}
	for i := range a.Rules {
		out.Rules[i] = a.Rules[i].ID
	}
	return &object[DialingCheck]{Body: out}, nil
}
