import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import com.google.refine.model.Cell;
import com.google.refine.model.Column;
import com.google.refine.model.Project;
import com.google.refine.model.Recon;
import com.google.refine.model.ReconCandidate;
import com.google.refine.model.ReconType;
import com.google.refine.model.Row;
import com.google.refine.model.recon.ReconJob;
import com.google.refine.model.recon.ReconciledDataExtensionJob;
import com.google.refine.model.recon.StandardReconConfig;
import com.google.refine.util.ParsingUtilities;

/**
 * Reconciles rows of names and countries as OpenRefine does, fetches the domains of the candidates as columns, and prints both: a line for
 * each row, then one for each company.
 */
public class Reconcile {
    public static void main(String[] args) throws Exception {
        String service = args[0];
        String[][] rows = {{"acme payments", "US"}, {"Zurich Ledgers", ""}, {"Twin", "France"}, {"Twin", ""}, {"Quite Unlike", ""}};

        Project project = new Project();
        project.columnModel.addColumn(0, new Column(0, "company"), true);
        project.columnModel.addColumn(1, new Column(1, "place"), true);
        StandardReconConfig config = new StandardReconConfig(service, "urn:ids", "urn:schema", new ReconType("company", "Company"), true, 10,
                List.of(new StandardReconConfig.ColumnDetail("place", "Country", "country", null)), 0);
        List<ReconJob> jobs = new ArrayList<>();
        for (String[] values : rows) {
            Row row = new Row(2);
            row.setCell(0, new Cell(values[0], null));
            row.setCell(1, new Cell(values[1].isEmpty() ? null : values[1], null));
            project.rows.add(row);
            jobs.add(config.createJob(project, project.rows.size() - 1, row, "company", row.getCell(0)));
        }

        Set<String> ids = new LinkedHashSet<>();
        Map<String, ReconCandidate> known = new HashMap<>();
        List<Recon> found = config.batchRecon(jobs, 1);
        for (int i = 0; i < rows.length; i++) {
            Recon recon = found.get(i);
            if (recon.error != null) {
                throw new IllegalStateException(recon.error);
            }
            List<ReconCandidate> candidates = recon.candidates == null ? List.of() : recon.candidates; // null for none
            System.out.printf("%s: %s, %d candidates%s%n", rows[i][0], recon.judgment, candidates.size(),
                    recon.match == null ? "" : ", " + recon.match.name + " by " + Math.round(recon.match.score));
            for (ReconCandidate c : candidates) {
                ids.add(c.id);
                known.put(c.id, c);
            }
        }

        ReconciledDataExtensionJob.DataExtensionConfig wanted = ParsingUtilities.mapper.readValue(
                "{\"properties\": [{\"id\": \"domain\", \"name\": \"Domain\"}, {\"id\": \"employee_count\", \"name\": \"Employees\"}]}",
                ReconciledDataExtensionJob.DataExtensionConfig.class);
        ReconciledDataExtensionJob extension = new ReconciledDataExtensionJob(wanted, service);
        Map<String, ReconciledDataExtensionJob.DataExtension> values = extension.extend(ids, known);
        for (String id : ids) {
            System.out.printf("%s has %s and %s%n", known.get(id).name, values.get(id).data[0][0], values.get(id).data[0][1]);
        }
        System.exit(0); // OpenRefine leaves threads
    }
}
