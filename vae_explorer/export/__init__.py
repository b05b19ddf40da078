"""Things to take away: pictures with what is needed to make them again."""
