//! The files that the command writes, merges and removes.

use super::*;

/// The command knows its own files by their hash. Only unchanged files are removed, and no other file is overwritten.
#[test]
fn files_are_written_and_removed_by_hash() {
    let project = project();
    let root = project.path();
    let before = files_of(root);
    add(root, "color --table Colors --columns \"ColorID int identity key,  Name nvarchar(20) default 'it is'\"")
        .unwrap();
    assert!(fs::read_to_string(root.join("src/lib.rs")).unwrap().contains("get_color(ColorID: key(ID))"));
    let after = files_of(root);
    add(root, "color").unwrap();
    assert_eq!(files_of(root), after, "the same again changes nothing");

    let script = root.join("sql/40-color.sql");
    let text = fs::read_to_string(&script).unwrap();
    fs::write(&script, format!("{text}-- mine\n")).unwrap();
    let touched = remove(root, "color").unwrap_err().to_string();
    assert!(touched.contains("sql/40-color.sql was changed since it was written: nothing was removed"), "{touched}");
    add(root, "color --plural colours").unwrap();
    let merged = fs::read_to_string(&script).unwrap();
    assert!(merged.ends_with("-- mine\n") && merged.contains("web.get_colours"), "{merged}");
    assert!(fs::read_to_string(root.join("src/lib.rs")).unwrap().contains("\"/colours\""));

    fs::write(&script, write::generated(&project::plan(root, "color").unwrap().unwrap())["sql/40-color.sql"].clone())
        .unwrap();
    remove(root, "color").unwrap();
    assert_eq!(files_of(root), before);
    assert!(remove(root, "color").unwrap_err().to_string().contains("there is no entities/color.toml"));

    fs::write(&script, "-- another's\n").unwrap();
    let there = add(root, "color --table Colors --columns 'Id int key, A int'").unwrap_err().to_string();
    assert!(there.contains("sql/40-color.sql is there already, and is another: nothing was written"), "{there}");
}

/// Without the customers, the rest of this repository is an API: nothing in sql/ asks for their table, and the local database starts.
#[test]
fn the_customers_can_be_removed_from_this_repository() {
    let project = TempDir::new().unwrap();
    let copy = project.path();
    for folder in ["sql", "sql/samples", "src", "entities", "sqlite", "sqlite/own", "dab"] {
        fs::create_dir(copy.join(folder)).unwrap();
        for entry in fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_file() {
                fs::copy(&entry, copy.join(folder).join(entry.file_name().unwrap())).unwrap();
            }
        }
    }
    remove(copy, "customer").unwrap();
    crate::generate::generate(copy).unwrap();
    for (path, text) in project::scripts(copy, &[]).unwrap() {
        // The body of a procedure is not resolved before it is called.
        let is_of_the_sample = path.starts_with("sql/samples/") || path == "sql/31-erase_customer.sql";
        assert!(is_of_the_sample || !text.contains("Sales."), "{path}");
    }
    let (database, dab_config) = (copy.join("local.db"), copy.join("dab/dab-config.json"));
    let bridge = azure_sql_rest_bridge::Config { database, dab_config, procedures: copy.join("sqlite") };
    azure_sql_rest_bridge::Bridge::open(bridge).expect("a local database");
    let described = fs::read_to_string(copy.join("openapi.json")).unwrap();
    assert!(!described.to_lowercase().contains("customerid"), "{described}");
}

/// The same command completes the files that a killed one has left.
#[test]
fn half_of_the_files_become_all_of_them() {
    let project = project();
    let root = project.path();
    let line = "color --table Colors --columns 'ColorID int key, Name nvarchar(20)'";
    add(root, line).unwrap();
    let all = files_of(root);
    fs::remove_file(root.join("entities/color.toml")).unwrap();
    fs::copy(super::tests::root().join("src/lib.rs"), root.join("src/lib.rs")).unwrap();
    add(root, line).unwrap();
    assert_eq!(files_of(root), all);
}

#[test]
fn nothing_is_written_when_one_file_cannot_be() {
    let project = project();
    let root = project.path();
    let before = files_of(root);
    // A folder in the place of the last of them.
    fs::create_dir(root.join("entities/.color.toml.new")).unwrap();
    assert!(add(root, "color --table Colors --columns 'Id int key, A int'").is_err());
    fs::remove_dir(root.join("entities/.color.toml.new")).unwrap();
    assert_eq!(files_of(root), before);
}

/// A table to which another refers stays, because the other's rows need its rows.
#[test]
fn a_table_that_others_refer_to_stays() {
    let project = project();
    let root = project.path();
    add(root, "color --table Colors --columns 'ColorID int key, A int'").unwrap();
    add(root, "paint --table Paints --columns 'Id int key, ColorID int references Colors (ColorID)'").unwrap();
    let refused = remove(root, "color").unwrap_err().to_string();
    assert!(refused.contains("paint refers to dbo.Colors: remove that first"), "{refused}");
    remove(root, "paint").unwrap();
    remove(root, "color").unwrap();
}

/// The table has changed: what was decided stays, and new columns are served.
#[test]
fn a_change_of_the_table_is_taken_over() {
    let project = project();
    let root = project.path();
    let ddl =
        |columns: &str| fs::write(root.join("colors.sql"), format!("CREATE TABLE dbo.Colors ({columns})")).unwrap();
    ddl("ColorID int PRIMARY KEY, Name nvarchar(20) NOT NULL, Secret int");
    add(root, "color --table Colors --ddl colors.sql --without Secret").unwrap();
    ddl("ColorID int PRIMARY KEY, Name nvarchar(40) NOT NULL, Secret int, Hex char(6) NULL");
    add(root, "color").unwrap();
    let plan = project::plan(root, "color").unwrap().unwrap();
    assert_eq!(plan.column("Name").unwrap().sql_type.to_string(), "nvarchar(40)");
    assert_eq!(plan.column("Secret").unwrap().role, plan::Role::Hidden);
    assert_eq!(plan.column("Hex").unwrap().role, plan::Role::Sent);
}

/// An owner's edits and a change of the table or of the plan are merged where they are in different places. Where they are in the same
/// place, the file stays.
#[test]
fn an_edited_file_is_merged_with_a_change_unless_both_are_in_one_place() {
    let project = project();
    let root = project.path();
    let script = root.join("sql/40-color.sql");
    let routes = root.join("src/lib.rs");
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let edit = |path: &Path, from: &str, to: &str| {
        let text = read(path);
        assert!(text.contains(from), "{from}: {text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let git = std::process::Command::new("git").current_dir(root).args(identity).args(arguments).output().unwrap();
        assert!(git.status.success(), "{git:?}");
    };
    let ddl =
        |columns: &str| fs::write(root.join("colors.sql"), format!("CREATE TABLE dbo.Colors ({columns})")).unwrap();
    ddl("ColorID int PRIMARY KEY, Name nvarchar(20) NOT NULL, Hex char(6) NULL");
    add(root, "color --table Colors --ddl colors.sql").unwrap();

    // The table changes.
    edit(&script, "    SET NOCOUNT ON;\n", "    SET NOCOUNT ON; -- mine\n");
    edit(&routes, "/// Read a color", "/// Read my color");
    ddl("ColorID int PRIMARY KEY, Name nvarchar(40) NOT NULL, Hex char(6) NULL");
    add(root, "color --filter Name").unwrap();
    let merged = read(&script);
    assert!(merged.contains("-- mine") && merged.contains("\"Name\": \"nvarchar(40)"), "{merged}");
    let merged = read(&routes);
    assert!(merged.contains("/// Read my color") && merged.contains("ByName: optional(\"Name\""), "{merged}");

    // The plan changes, of which Git has the text that was used.
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "Colors"]);
    edit(&root.join("entities/color.toml"), "max = 1000", "max = 500");
    add(root, "color").unwrap();
    assert!(read(&script).contains("-- mine") && read(&script).contains("BETWEEN 1 AND 500"));
    assert!(read(&routes).contains("/// Read my color") && read(&routes).contains("1..=500"));

    // Both change one line.
    edit(&script, "BETWEEN 1 AND 500", "BETWEEN 2 AND 500");
    git(&["commit", "--quiet", "--all", "--message", "Mine"]);
    let (mine, before) = (read(&script), project::plan(root, "color").unwrap().unwrap());
    edit(&root.join("entities/color.toml"), "max = 500", "max = 400");
    let now = Plan { limit: plan::Limit { max: 400, ..before.limit }, ..before.clone() };
    let shown = match write::merged(
        &write::generated(&before)["sql/40-color.sql"],
        &mine,
        &write::generated(&now)["sql/40-color.sql"],
    ) {
        write::Fate::Edited(shown) => shown,
        _ => panic!("a conflict is left to the owner"),
    };
    for side in ["<<<<<<< edited by hand\n    IF @Limit BETWEEN 2 AND 500", ">>>>>>> generated now"] {
        assert!(shown.contains(side), "{shown}");
    }
    add(root, "color").unwrap();
    assert_eq!(read(&script), mine, "nothing is overwritten");
    assert!(read(&routes).contains("1..=400"), "the other files follow");
}

/// The generated files follow when the plan is edited by hand. An edit that breaks a rule is refused.
#[test]
fn a_plan_that_was_edited_counts() {
    let project = project();
    let root = project.path();
    add(root, "color --table Colors --columns 'ColorID int key, Name nvarchar(20), Note nvarchar(9)'").unwrap();
    let path = root.join("entities/color.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"nvarchar(9)\", null = true", "\"nvarchar(9)\", null = true, hidden = true"))
        .unwrap();
    add(root, "color").unwrap();
    fs::write(&path, text.replace("default = 100,", "default = 5000,")).unwrap();
    assert!(add(root, "color").unwrap_err().to_string().contains("limit: the default is 1 to the maximum"));
    fs::write(&path, text.replace("name = \"Note\"", "name = \"Note\", path = \"a'b\"")).unwrap();
    assert!(add(root, "color").unwrap_err().to_string().contains("member \"a'b\" of column Note is not made of"));
}

/// The customers have exactly the routes of their plan.
#[test]
fn the_routes_of_the_customers_follow_from_their_plan() {
    let plan = project::plan(root(), "customer").unwrap().unwrap();
    let present = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert_eq!(routes::present(&present, &plan), routes::lines(&plan));
    assert_eq!(routes::with(&present, &plan, &routes::lines(&plan)).unwrap(), present);
    assert!(!routes::without(&present, &plan).contains("customer\""));
}

/// Without indexes, a filter or an order of a large table reads all of it.
#[test]
fn filters_and_orders_without_an_index_are_told_and_unknown_columns_refused() {
    let columns = "--columns 'Id int key, Name nvarchar(20) not null unique, At date, Kind int'";
    let line = format!("event --table Events --filter 'Kind,Name:prefix' --sort 'At desc,Name,Id desc' {columns}");
    let Decided { plan, notes } = decided_in(project().path(), &line).unwrap();
    assert_eq!(
        notes,
        ["Kind: a filter", "At: an order"]
            .map(|note| { format!("no unique index begins with {note} of a large table needs an index of its own") })
    );
    assert!(routes::lines(&plan).contains("get_events(After: page(NVARCHAR(4000)), Limit: query(\"limit\", 1..=1000, 100), Sort: optional(\"sort\", NVARCHAR(4)), ByKind: "));
    let said = refused(&format!("event --table Events --filter Nope --sort 'No desc' {columns}"));
    assert!(said.contains("has no column Nope") && said.contains("has no column No:"), "{said}");
    let said = refused(&format!("event --table Events --only get --sort At {columns}"));
    assert!(said.contains("an order is of a list"), "{said}");
}

/// A route to the rows of another row is its owner's line, which stays, and takes no name.
#[test]
fn a_route_to_rows_of_another_row_is_its_owners() {
    let project = project();
    let root = project.path();
    add(root, "order --table Orders --filter CustomerID --columns 'Id int key, CustomerID int not null'").unwrap();
    let file = root.join("src/lib.rs");
    let own = "        /// The orders of a customer\n        GET \"/customer/{id}/orders\" => get_orders(ByCustomerID: key(INT));\n\n";
    let text = fs::read_to_string(&file).unwrap().replacen("routes: {\n", &format!("routes: {{\n{own}"), 1);
    fs::write(&file, &text).unwrap();
    add(root, "order").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    add(root, "order --filter CustomerID:range").unwrap();
    let changed = fs::read_to_string(&file).unwrap();
    assert!(changed.contains(own) && changed.contains("optional(\"CustomerID.from\", INT)"), "{changed}");
    add(root, "customer").unwrap();
    remove(root, "order").unwrap();
    assert!(fs::read_to_string(&file).unwrap().contains(own));
}

/// The files of a project, with their texts.
fn files_of(root: &Path) -> BTreeSet<(PathBuf, String)> {
    let mut files = BTreeSet::new();
    for folder in ["sql", "src", "entities", "sqlite"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap_or_default();
            files.insert((path.strip_prefix(root).unwrap().to_owned(), text));
        }
    }
    files
}
