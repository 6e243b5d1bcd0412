"""What the proof of boards and rules found; apart from the proof, which needs more than reading its report."""

from dataclasses import dataclass, field


@dataclass
class Alterations:
    """Alterations of queries or rules: how many were tried, and those that went unnoticed."""

    tried: int
    survivors: list[str]

    @property
    def found(self) -> float:
        """Share that was found."""
        return 1 - len(self.survivors) / self.tried if self.tried else 1.0


@dataclass
class ProofReport:
    """What the proof found; empty lists are what is wanted."""

    stale: list[str] = field(default_factory=list)
    """Generated files that are not what the code makes."""
    findings: list[str] = field(default_factory=list)
    """What the linter's rules forbid."""
    unshown: list[str] = field(default_factory=list)
    """Metrics that are served and on no board."""
    rules: str = ""
    """Why promtool does not pass the rules and their tests; empty when it does."""
    queries: int = 0
    """How many queries were held against the oracle, at every moment."""
    mismatches: list[str] = field(default_factory=list)
    """Queries that answer something else than the oracle."""
    query_mutants: Alterations | None = None
    rule_mutants: Alterations | None = None

    @property
    def passed(self) -> bool:
        """Nothing was found that should not be."""
        altered = [one for one in (self.query_mutants, self.rule_mutants) if one is not None]
        wrong = self.stale or self.findings or self.unshown or self.rules or self.mismatches
        return not wrong and not any(one.survivors for one in altered)
