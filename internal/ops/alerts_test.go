package ops

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/rtp"
)

// alert is one rule of an alerts file of Prometheus.
type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	k := koanf.New("|")
	if err := k.Load(file.Provider("../../docs/operating/alerts.yml"), yaml.Parser()); err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Name  string
		Rules []alert
	}
	if err := k.Unmarshal("groups", &groups); err != nil {
		t.Fatal(err)
	}
	var all []alert
	for _, g := range groups {
		if g.Name == "" || len(g.Rules) == 0 {
			t.Errorf("the group %q is empty", g.Name)
		}
		all = append(all, g.Rules...)
	}
	return all
}

// exported returns the labels of each metric that we export, by its name.
func exported() map[string][]string {
	m := NewMetrics(Options{Draining: func() bool { return false }, Lateness: func() rtp.Lateness { return rtp.Lateness{} }})
	form := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([^}]*)\}`)
	descs := make(chan *prometheus.Desc, 1000)
	m.registry.Describe(descs)
	close(descs)
	all := map[string][]string{}
	for d := range descs {
		if found := form.FindStringSubmatch(d.String()); found != nil {
			all[found[1]] = strings.Split(found[2], ",")
		}
	}
	return all
}

var (
	metricName = regexp.MustCompile(`\b(?:callwright|process|go)_\w+`)
	selector   = regexp.MustCompile(`\b((?:callwright|process|go)_\w+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`(\w+)=~?"([^"]*)"`)
	suffix     = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// TestAlerts: each rule is over metrics and labels that are exported, and says
// what it means and what to do.
func TestAlerts(t *testing.T) {
	known := exported()
	if len(known) < 20 || !slices.Contains(known["callwright_calls_ended_total"], "reason") {
		t.Fatalf("the metrics are %v", known)
	}
	rules := alerts(t)
	if len(rules) < 15 {
		t.Fatalf("only %d rules", len(rules))
	}
	names := map[string]bool{}
	for _, r := range rules {
		if !strings.HasPrefix(r.Alert, "Callwright") || names[r.Alert] {
			t.Errorf("the alert %q has no name of its own", r.Alert)
		}
		names[r.Alert] = true
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s has the severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" || r.Annotations["action"] == "" {
			t.Errorf("%s does not say what it means and what to do", r.Alert)
		}
		if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
			t.Errorf("%s: %v", r.Alert, err)
		}
		used := metricName.FindAllString(r.Expr, -1)
		if len(used) == 0 {
			t.Errorf("%s is over no metric of ours: %s", r.Alert, r.Expr)
		}
		for _, name := range used {
			if _, there := known[suffix.ReplaceAllString(name, "")]; !there && known[name] == nil {
				t.Errorf("%s is over %s, which is not exported", r.Alert, name)
			}
		}
		for _, s := range selector.FindAllStringSubmatch(r.Expr, -1) {
			for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
				if !slices.Contains(known[suffix.ReplaceAllString(s[1], "")], m[1]) {
					t.Errorf("%s looks for the label %s, which %s has not", r.Alert, m[1], s[1])
				}
				if m[1] == "reason" && !slices.Contains(watchedReasons, domain.EndReason(m[2])) {
					t.Errorf("%s looks for the reason %q", r.Alert, m[2])
				}
			}
		}
	}
}

// watchedReasons are the ends of calls that alerts are about.
var watchedReasons = []domain.EndReason{domain.EndInternal, domain.EndInterrupted, domain.EndConfiguration, domain.EndMediaTimeout}
