"""The Insiders programme: spaces, groups, entry rule and evidence."""
