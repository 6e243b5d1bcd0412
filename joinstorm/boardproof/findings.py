"""The report of the proof of boards and rules; apart from the proof itself, which needs further libraries."""

from dataclasses import dataclass, field


@dataclass
class Mutation:
    """The mutants of queries or rules: how many were tried, and the survivors, which no check caught."""

    tried: int
    survivors: list[str]

    @property
    def found(self) -> float:
        """The share of mutants that were caught."""
        return 1 - len(self.survivors) / self.tried if self.tried else 1.0


@dataclass
class ProofReport:
    """The findings of the proof; empty lists are good."""

    stale: list[str] = field(default_factory=list)
    """Generated files that differ from the code."""
    findings: list[str] = field(default_factory=list)
    """Violations of the linter's rules."""
    unshown: list[str] = field(default_factory=list)
    """Metrics that are served and shown on no board."""
    rules: str = ""
    """Why the rules or their tests fail in promtool; empty when they pass."""
    queries: int = 0
    """Number of queries compared with the oracle at every moment."""
    mismatches: list[str] = field(default_factory=list)
    """Queries that differ from the oracle."""
    query_mutants: Mutation | None = None
    rule_mutants: Mutation | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong and no mutant survived."""
        mutations = [one for one in (self.query_mutants, self.rule_mutants) if one is not None]
        wrong = self.stale or self.findings or self.unshown or self.rules or self.mismatches
        return not wrong and not any(one.survivors for one in mutations)
