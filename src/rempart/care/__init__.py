"""Care goes on while the site is cut: rehearsed beforehand, attested each shift, trouble heard, paper caught up."""
