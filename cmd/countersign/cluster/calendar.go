package cluster

import (
	"fmt"
	"strings"
	"time"
)

// CalendarDate is the day on which the calendar was read.
const CalendarDate = "2026-08-22"

// release is a row of the calendar: the last days of standard and of extended support.
type release struct {
	version            string
	standard, extended string
}

// calendar is the release calendar of the Amazon EKS User Guide, "Understand the Kubernetes version lifecycle on EKS", on [CalendarDate], the
// newest version first.
var calendar = []release{
	{"1.36", "2027-08-02", "2028-08-02"},
	{"1.35", "2027-03-27", "2028-03-27"},
	{"1.34", "2026-12-02", "2027-12-02"},
	{"1.33", "2026-07-29", "2027-07-29"},
	{"1.32", "2026-03-23", "2027-03-23"},
	{"1.31", "2025-11-26", "2026-11-26"},
	{"1.30", "2025-07-23", "2026-07-23"},
	{"1.29", "2025-03-23", "2026-03-23"},
	{"1.28", "2024-11-26", "2025-11-26"},
}

// soon is how long before the end of its standard support a version is spoken about.
const soon = 60 * 24 * time.Hour

// checkVersion says what the calendar says of a version on a day: an error if a cluster of it cannot be created or would cost
// extra without that having been asked for, a note if something is to be known.
func checkVersion(version string, today time.Time, extended bool) (note string, err error) {
	row, known := rowOf(version)
	switch {
	case !known && newer(version, calendar[0].version):
		return fmt.Sprintf("Kubernetes %s is newer than the calendar that this program has (%s); eksctl asks Amazon EKS itself", version, CalendarDate), nil
	case !known:
		return "", fmt.Errorf("%s is a Kubernetes version that Amazon EKS supports no longer; write one of %s", version, supported(today, extended))
	case after(today, row.extended):
		return "", fmt.Errorf("%s is a Kubernetes version whose support Amazon EKS ended on %s; write one of %s", version, row.extended, supported(today, extended))
	case after(today, row.standard) && !extended:
		return "", fmt.Errorf("%s is a Kubernetes version in extended support since %s, at a higher price an hour; write one of %s, or accept it with --extended-support",
			version, row.standard, supported(today, false))
	case after(today, row.standard):
		return fmt.Sprintf("Kubernetes %s is in extended support, at a higher price an hour, until %s (calendar of %s)", version, row.extended, CalendarDate), nil
	case !after(today.Add(-soon), row.standard) && after(today.Add(soon), row.standard):
		return fmt.Sprintf("the standard support of Kubernetes %s ends on %s (calendar of %s): Amazon EKS then updates the cluster by itself", version, row.standard, CalendarDate), nil
	}
	return "", nil
}

func rowOf(version string) (release, bool) {
	for _, row := range calendar {
		if row.version == version {
			return row, true
		}
	}
	return release{}, false
}

// supported lists the versions in support on a day, the newest first.
func supported(today time.Time, extended bool) string {
	var all []string
	for _, row := range calendar {
		if end := row.standard; !after(today, end) || extended && !after(today, row.extended) {
			all = append(all, row.version)
		}
	}
	if len(all) == 0 {
		return "those that eksctl utils describe-cluster-versions lists (the calendar of " + CalendarDate + " in this program has ended)"
	}
	return strings.Join(all, ", ")
}

// after reports whether a day of the calendar is over.
func after(today time.Time, day string) bool { return today.UTC().Format(time.DateOnly) > day }

// newer compares versions of two digits after the dot, which is what the file takes.
func newer(a, b string) bool { return a > b }
