"""The simulated tweets: themes, rates, cascades and a phrase grammar."""
