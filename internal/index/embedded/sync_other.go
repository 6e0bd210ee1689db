//go:build !unix

package embedded

// syncDir does nothing where directories cannot be synced: there a rename is lasting by itself.
func syncDir(string) error { return nil }
