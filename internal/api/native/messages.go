package native

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/messaging"
)

// Message is a text message.
type Message struct {
	ID            domain.ID              `json:"id"`
	Direction     domain.Direction       `json:"direction" enum:"outbound,inbound"`
	From          string                 `json:"from"`
	To            string                 `json:"to"`
	Text          string                 `json:"text"`
	Status        domain.MessageStatus   `json:"status" enum:"queued,sent,delivered,failed,received"`
	Encoding      domain.MessageEncoding `json:"encoding" enum:"GSM-7,UCS-2"`
	Segments      int                    `json:"segments" doc:"Parts that it is sent in: 160 characters of GSM-7 or 70 of UCS-2 are one, of several each has 153 or 67."`
	Error         *string                `json:"error" doc:"Why it failed, or why the carrier has to be asked again."`
	PhoneNumberID *domain.ID             `json:"phoneNumberId" doc:"The workspace's own number."`
	CallID        *domain.ID             `json:"callId" doc:"The call in which it was sent."`
	ContactID     *domain.ID             `json:"contactId" doc:"Whom it is with, when a contact has the number."`
	CreatedAt     wire.Instant           `json:"createdAt"`
	SentAt        wire.Instant           `json:"sentAt" doc:"When the carrier took it."`
	DeliveredAt   wire.Instant           `json:"deliveredAt"`
	UpdatedAt     wire.Instant           `json:"updatedAt"`
}

// MessageFields is what a new message needs.
type MessageFields struct {
	From          wire.Opt[string]    `json:"from,omitzero" doc:"One of the workspace's own numbers, E.164. Required, or phoneNumberId is."`
	PhoneNumberID wire.Opt[domain.ID] `json:"phoneNumberId,omitzero" doc:"The number to send from by its id."`
	To            wire.Opt[string]    `json:"to,omitzero" doc:"E.164; required."`
	Text          wire.Opt[string]    `json:"text,omitzero" doc:"Required; at most 1,600 characters."`
}

func (f *face) messageRoutes(rt *wire.Router) {
	const path = Root + "/messages"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-messages", Scope: "messages:read", Summary: "List text messages"}, f.listMessages)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "send-message", Scope: "messages:write", Status: http.StatusCreated, Summary: "Send a text message"}, f.sendMessage)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path + "/{id}", ID: "get-message", Scope: "messages:read", Summary: "Get a text message"}, f.getMessage)
}

type messageQuery struct {
	wire.Paging
	Direction domain.Direction     `query:"direction" doc:"outbound or inbound."`
	Status    domain.MessageStatus `query:"status" doc:"queued, sent, delivered, failed or received."`
	From      string               `query:"from" doc:"The number that it is from."`
	To        string               `query:"to" doc:"The number that it is to."`
	FromDate  string               `query:"fromDate" doc:"Those made then or later: a date or time, ISO 8601."`
	ToDate    string               `query:"toDate" doc:"Those made then or earlier; a date is its whole day."`
}

func (f *face) listMessages(ctx context.Context, in *messageQuery) (*list[Message], error) {
	filter := domain.MessageFilter{Direction: in.Direction, Status: in.Status, From: in.From, To: in.To}
	if in.FromDate != "" {
		start, _, err := wire.ParseInstant("fromDate", in.FromDate)
		if err != nil {
			return nil, err
		}
		filter.CreatedMin = start
	}
	if in.ToDate != "" {
		_, end, err := wire.ParseInstant("toDate", in.ToDate)
		if err != nil {
			return nil, err
		}
		filter.CreatedMax = end
	}
	page := in.Page()
	rows, total, err := f.rules.Messages(ctx, wire.ScopeOf(ctx), filter, page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, message), nil
}

func (f *face) sendMessage(ctx context.Context, in *struct{ Body MessageFields }) (*object[Message], error) {
	b := in.Body
	m, err := f.rules.SendMessage(ctx, wire.ScopeOf(ctx), messaging.SendRequest{
		From: b.From.Value, PhoneNumberID: b.PhoneNumberID.Value, To: b.To.Value, Text: b.Text.Value,
	}, wire.Once(ctx, http.StatusCreated, messageBody))
	if err != nil {
		return nil, err
	}
	return reply(m.Version, message(m)), nil
}

func (f *face) getMessage(ctx context.Context, in *ByID) (*object[Message], error) {
	m, err := f.rules.Message(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return reply(m.Version, message(m)), nil
}

func message(m *domain.Message) Message {
	return Message{
		ID: m.ID, Direction: m.Direction, From: m.From, To: m.To, Text: m.Text, Status: m.Status,
		Encoding: m.Encoding, Segments: m.Segments, Error: orNull(m.Error),
		PhoneNumberID: orNull(m.PhoneNumberID), CallID: orNull(m.CallID), ContactID: orNull(m.ContactID),
		CreatedAt: wire.Instant(m.CreatedAt), SentAt: wire.Instant(m.SentAt), DeliveredAt: wire.Instant(m.DeliveredAt),
		UpdatedAt: wire.Instant(m.UpdatedAt),
	}
}

func messageBody(m *domain.Message) any { return message(m) }
