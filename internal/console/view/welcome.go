package view

// Welcome are the first steps of a workspace, and which of them are done.
type Welcome struct {
	Balance                            int64
	Token, Searched, Exported, Invited bool

	Empty bool // the catalog has no company
}

// step is one of the first steps.
type step struct {
	Title, Text  string
	Done         bool
	Path, Action string // the page where it is done
}

// steps returns the first steps in their order. Credits come first, because an export needs them. After an export they may be
// spent.
func (w Welcome) steps(v Viewer) []step {
	return []step{
		{"Get credits", "One credit buys one new company. Companies that you own are free.", w.Balance > 0 || w.Exported, v.Path("/credits"), "See the balance"},
		{"Search", "Type what you look for. The price of everything that matches is above the results.", w.Searched, v.Path("/search"), "Search companies"},
		{"Export companies", "Review the exact price, then buy the file as CSV or JSON.", w.Exported, v.Path("/exports/new"), "New export"},
		{"Create a token", "With a token, your programs can do the same through the API.", w.Token, v.Path("/tokens"), "Create a token"},
		{"Invite your team", "Members share credits, lists and what was exported.", w.Invited, v.Path("/members"), "Invite someone"},
	}
}

// Finished reports whether every step is done.
func (w Welcome) Finished() bool { return w.done() == len(w.steps(Viewer{})) }

func (w Welcome) done() (n int) {
	for _, s := range w.steps(Viewer{}) {
		n += boolToInt(s.Done)
	}
	return n
}
