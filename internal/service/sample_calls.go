package service

import (
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// sampleContacts are the people whom test mode knows from the start.
var sampleContacts = []domain.Contact{
	{
		Phone: "+15001020006", FirstName: "Casey", LastName: "Morgan", Email: "casey@example.com", Company: "Morgan & Sons",
		Stage: "customer", Status: "contacted", Tags: []string{"sample", "regular"}, Custom: map[string]any{"favourite_table": "by the window"},
	},
	{Phone: "+15001050006", FirstName: "Ana", LastName: "María Silva", Email: "ana@example.com", Stage: "customer", Status: "contacted", Tags: []string{"sample"}},
	{Phone: "+15001090008", FirstName: "Jörg", LastName: "Müller", Company: "Müller GmbH", Stage: "lead", Status: "contacted", Tags: []string{"sample"}},
	{Phone: "+15001060002", FirstName: "Robin", LastName: "Lee", Stage: "lead", Status: "not_contacted", Tags: []string{"sample"}},
}

// sampleCalls are the calls that test mode has from the start, the newest first.
var sampleCalls = []sampleCall{
	{
		ago: 2 * time.Hour, number: "+15001020006", reason: domain.EndFlow, party: 2, sentiment: "positive",
		summary: "Booked a table for 2 on {day}.",
		talk: `Agent: Hi, this is Ava from the Harbour Grill. What day would you like a table?
Caller: Tomorrow, please. That would be great.
Agent: How many people will you be?
Caller: Two.
Agent: A table for 2 on {day}, then. Goodbye!`,
	},
	{ago: 3 * time.Hour, number: "+15001030001", reason: domain.EndBusy},
	{
		ago: 5 * time.Hour, number: "+15001040003", reason: domain.EndVoicemail, sentiment: "neutral",
		summary: "Reached an answering machine and left a message.",
		talk: `Caller: Hi, you have reached Casey. Please leave a message after the tone.
Agent: This is Ava from the Harbour Grill about your table. We will call again.`,
	},
	{
		ago: 22 * time.Hour, number: "+15001050006", inbound: true, reason: domain.EndFlow, party: 4, sentiment: "neutral",
		summary: "The caller booked a table for 4 on {day}.",
		talk: `Agent: Hi, this is Ava from the Harbour Grill. What day would you like a table?
Caller: For tomorrow evening.
Agent: How many people will you be?
Caller: There will be four of us.
Agent: A table for 4 on {day}, then. Goodbye!`,
	},
	{ago: 26 * time.Hour, number: "+15001060002", reason: domain.EndNoAnswer},
	{
		ago: 29 * time.Hour, number: "+15001070009", reason: domain.EndFlow, sentiment: "negative",
		summary: "The person does not want to be called again.",
		talk: `Agent: Hi, this is Ava from the Harbour Grill. What day would you like a table?
Caller: Please do not call me again. Take me off your list.
Agent: I am sorry to have bothered you. Goodbye.`,
	},
	{
		ago: 47 * time.Hour, number: "+15001080005", reason: domain.EndCallerHangup, sentiment: "neutral",
		summary: "The person hung up before saying anything.",
		talk:    "Agent: Hi, this is Ava from the Harbour Grill. What day",
	},
	{
		ago: 51 * time.Hour, number: "+15001090008", reason: domain.EndFlow, party: 6, sentiment: "positive",
		summary: "Booked a table for 6 on {day}, after an interruption.",
		talk: `Agent: Hi, this is Ava from the
Caller: Sorry, wait a moment please.
Agent: What day would you like a table?
Caller: Tomorrow.
Agent: How many people will you be?
Caller: Six. We love your place!
Agent: A table for 6 on {day}, then. Goodbye!`,
	},
	{ago: 54 * time.Hour, number: "+15001100004", reason: domain.EndDeclined},
	{
		ago: 75 * time.Hour, number: "+15001110006", reason: domain.EndFlow, party: 3, sentiment: "neutral",
		summary: "Booked a table for 3 on {day}.",
		talk: `Agent: Hi, this is Ava from the Harbour Grill. What day would you like a table?
Caller: Is tomorrow possible?
Agent: How many people will you be?
Caller: Three of us.
Agent: A table for 3 on {day}, then. Goodbye!`,
	},
	{
		ago: 98 * time.Hour, number: "+15001120007", reason: domain.EndSilence, sentiment: "neutral",
		summary: "Nobody said anything.",
		talk: `Agent: Hi, this is Ava from the Harbour Grill. What day would you like a table?
Agent: What day would you like a table?
Agent: I can't hear you. Goodbye.`,
	},
	{ago: 101 * time.Hour, number: "+15001130000", reason: domain.EndInvalidNumber},
}
