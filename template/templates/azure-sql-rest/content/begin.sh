# The first command of azure-sql-rest.sh adds the table that `spin new` was told of, and this file is gone then. If the table is refused,
# correct it here.
# shellcheck shell=sh
name='{{ entity }}'
table='{{ table }}'
read -r columns <<'COLUMNS'
{{ columns }}
COLUMNS
mkdir -p entities
ls entities/"$name".* >/dev/null 2>&1 || run entity add "$name" --table "$table" --columns "$columns" ||
  fail "$table is not added; correct its values in begin.sh, and do the same again"
run generate && rm begin.sh
