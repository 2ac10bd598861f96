"""What stands out in the classes of a sweep's finished runs, counted over its runs."""

from collections.abc import Mapping
from pathlib import Path

from activation_study.analysis.class_summary import summarized
from activation_study.analysis.formatting import display_name
from activation_study.analysis.grouping import arm, grouped
from activation_study.class_findings import ClassFindings
from activation_study.config.factor import factor_of
from activation_study.records.record import Record
from activation_study.records.run import read_findings


def class_account(records: Mapping[Path, Record]) -> list[str]:
    """One sentence for each finding, with data set and label type if there are several.

    Args:
        records: of finished runs of one study, by their folders.
    """
    factor = factor_of([record.config for record in records.values()])
    groups = grouped(list(records), lambda folder: arm(records[folder].config, factor)[:2])
    sentences = []
    for (data, label_type), folders in groups.items():
        findings: dict[str, list[ClassFindings]] = {}
        for folder in folders:
            if (found := read_findings(folder, records[folder])) is not None:
                findings.setdefault(display_name(arm(records[folder].config, factor)[2]), []).append(found)
        prefix = f"{label_type} of {data}: " if len(groups) > 1 else ""
        sentences += [prefix + sentence for sentence in summarized(findings, records[folders[0]].classes)]
    return sentences
