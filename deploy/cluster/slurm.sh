#!/bin/bash
# One run on a Slurm cluster: `sbatch deploy/cluster/slurm.sh s3://archive/ /scratch/views/`.
# Starts Ray on each machine of the allocation, and the command on the first of them.
# cxrview with its extra `cluster` is in an environment on a disk that all machines share.
#SBATCH --job-name=cxrview
#SBATCH --nodes=32
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=32G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@120
#SBATCH --output=cxrview-%j.log
# --requeue starts the script again when a machine fails, and --resume then continues the run.
# --signal: two minutes before the time is over, the script ends, and finished work is kept.
set -euo pipefail
archive=${1:?usage: sbatch slurm.sh ARCHIVE RESULT/}
result=${2:?usage: sbatch slurm.sh ARCHIVE RESULT/}
source "${CXRVIEW_ENV:-$HOME/cxrview-env}/bin/activate"
export RAY_USAGE_STATS_ENABLED=0

# Two jobs on one machine need two ports.
port=$((20000 + SLURM_JOB_ID % 10000))
head=$(hostname --ip-address | cut -d' ' -f1)

# The first task is the head, with the server for ray://; the others join it.
srun bash -c '
  if [ "$SLURM_PROCID" = 0 ]; then
    exec ray start --block --head --node-ip-address="$1" --port="$2" \
      --ray-client-server-port="$(($2 + 1))" --num-cpus="$SLURM_CPUS_PER_TASK"
  fi
  sleep 10
  exec ray start --block --address="$1:$2" --num-cpus="$SLURM_CPUS_PER_TASK"
' ray "$head" "$port" &
trap 'jobs -pr | xargs --no-run-if-empty kill || true' EXIT
trap 'exit 143' TERM

until ray health-check --address "$head:$port"; do sleep 5; done
cxrview classify "$archive" --cluster "ray://$head:$((port + 1))" --out "$result" --resume &
wait $!
